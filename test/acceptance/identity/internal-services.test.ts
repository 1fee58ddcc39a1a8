// A service of the company replies for a user: with a token that names both, or by the header X-Acting-For.
import t, { type Test } from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { JWT_AUDIENCE, startTokenProvider } from '../../helpers/token-provider.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const forAlice = { 'x-acting-for': 'alice' }

async function start(t: Test) {
  const thread = await startEmulator(t)
  const provider = await startTokenProvider(t)
  const service = await hostService(t, {
    ...thread.env,
    AUTH_JWT_ISSUER: provider.issuer,
    AUTH_JWT_AUDIENCE: JWT_AUDIENCE,
    AUTH_JWT_SECRET: undefined,
    AUTH_ACT_SCOPE: 'replies:act'
  })
  return { ...thread, provider, service }
}

const { emulator, provider, service, parentId } = await start(t)
t.beforeEach(() => emulator.clear())

function lineOf(requestId: string) {
  return service.lineWhere(line => line['requestId'] === requestId)
}

t.test('a service with the scope names its user in a header, and the log names both', async t => {
  const token = await provider.serviceToken('billing', JWT_AUDIENCE, 'replies:act')
  const headers = { ...forAlice, 'x-request-id': 'request-by-header' }

  t.equal((await postReply(service, { token, parentId, headers })).status, 201)

  t.strictSame(
    emulator.ledger.map(({ onBehalfOf }) => onBehalfOf),
    ['alice']
  )
  t.match(await lineOf('request-by-header'), {
    scheme: 'bearer',
    issuer: provider.issuer,
    subject: 'alice',
    uid: 'alice',
    actors: ['billing']
  })
})

t.test('a token that names user and service needs no header, and the log has the chain', async t => {
  const token = await provider.exchangedToken('alice', 'billing')
  const headers = { 'x-request-id': 'request-by-token' }

  t.equal((await postReply(service, { token, parentId, headers })).status, 201)

  t.match(await lineOf('request-by-token'), { scheme: 'bearer', subject: 'alice', uid: 'alice', actors: ['billing'] })
})

t.test('without the scope the header is refused, whoever sends it', async t => {
  const tokens: [title: string, token: string][] = [
    ['a service with another scope', await provider.serviceToken('mailer', JWT_AUDIENCE, 'replies:read')],
    ['a service without a scope', await provider.serviceToken('billing', JWT_AUDIENCE)],
    ['a user', await provider.exchangedToken('alice', 'billing')]
  ]
  for (const [title, token] of tokens) {
    for (const headers of [forAlice, { 'x-acting-for': 'bob' }, { 'X-ACTING-FOR': '' }]) {
      await t.test(title, async t => {
        expectProblem(t, await postReply(service, { token, parentId, headers }), 'forbidden')
        t.strictSame(emulator.requests, [])
      })
    }
  }
})

t.test('a service cannot act for what is no user', async t => {
  const token = await provider.serviceToken('billing', JWT_AUDIENCE, 'replies:act')
  for (const name of ['', 'Alice', 'alice,bob', 'alice bob', 'alice\u00e9', 'x'.repeat(101), 'app_system/../alice']) {
    const answer = await postReply(service, { token, parentId, headers: { 'x-acting-for': name } })
    t.equal(answer.status, 403, name)
    t.equal(answer.json.code, 'identity-unmappable')
  }
  t.strictSame(emulator.requests, [])
})

t.test('a service that names nobody is itself, and no user', async t => {
  const token = await provider.serviceToken('billing', JWT_AUDIENCE, 'replies:act')

  expectProblem(t, await postReply(service, { token, parentId }), 'identity-unmappable')
  t.strictSame(emulator.ledger, [])
})

t.test('without AUTH_ACT_SCOPE no scope lets anybody act for others', async t => {
  const { env } = await startEmulator(t)
  const closed = await hostService(t, env)
  const token = await tokenFor('billing', { claims: { scope: 'replies:act undefined admin *' } })

  expectProblem(t, await postReply(closed, { token, parentId, headers: forAlice }), 'forbidden')
})
