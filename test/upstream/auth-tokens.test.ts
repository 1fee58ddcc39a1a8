import t from 'tap'
import { Secret } from '../../src/lib/secret.ts'
import type { ExchangeResult } from '../../src/upstream/transport/exchange-types.ts'
import { createAuthTokens } from '../../src/upstream/users/auth-tokens.ts'
import { ALICE, answer, failure, KEYS, refusal, scripted } from './scripted-cometchat.ts'

const DEADLINE = { atMs: 10_000 }
const TOKEN = 'alice_1630306819c3027ce530b2367f3c97b4106f0cb8'
const made = answer({ data: { uid: 'alice', authToken: TOKEN, createdAt: 1_630_306_819 } })

function calls(...script: readonly [ExchangeResult, ...ExchangeResult[]]) {
  const world = scripted(...script)
  const ensured: unknown[] = []
  const tokens = createAuthTokens({
    ...world.options,
    forSender: (call, sender) =>
      call().catch(error => {
        if (error.code !== 'identity-unmappable') throw error
        ensured.push(sender)
        return call()
      })
  })
  return {
    ...world,
    ensured,
    create: () => tokens.create(ALICE, DEADLINE, { name: 'Alice' }),
    revoke: (token = TOKEN) => tokens.revoke(ALICE, new Secret(token), DEADLINE)
  }
}

t.test('a token is made as the app, always a further one', async t => {
  const { create, requests, steps } = calls(made)
  t.equal((await create()).reveal(), TOKEN)
  t.match(requests, [{ method: 'POST', path: '/v3/users/alice/auth_tokens', body: '{"force":true}' }])
  t.notMatch(requests[0]?.headers, ['onBehalfOf'])
  t.equal(requests[0]?.chargedTo, ALICE, "it comes out of this user's share of the app")
  t.match(steps, [{ call: 'POST /users/{uid}/auth_tokens' }])
  t.notMatch(JSON.stringify(steps), TOKEN)
})

t.test('a token of somebody else, one that is none, or one that shows our key is not given out', async t => {
  for (const data of [
    { uid: 'bob', authToken: TOKEN },
    { uid: 'alice' },
    { uid: 'alice', authToken: '' },
    { uid: 'alice', authToken: 7 },
    { uid: 'alice', authToken: '..' },
    { uid: 'alice', authToken: '........' },
    { uid: 'alice', authToken: `${TOKEN}\r\nx` },
    { uid: 'alice', authToken: 'a'.repeat(2049) },
    { uid: 'alice', authToken: `alice_${KEYS[0].reveal()}` }
  ]) {
    const { create } = calls(answer({ data }))
    await t.rejects(create(), { code: 'upstream-invalid', delivery: 'not-sent' }, JSON.stringify(data).slice(0, 80))
  }
})

t.test('a user whom CometChat does not know is ensured first, and asked for once more', async t => {
  const { create, ensured, requests } = calls(refusal('ERR_UID_NOT_FOUND', 404), made)
  t.equal((await create()).reveal(), TOKEN)
  t.same(ensured, [{ uid: 'alice', profile: { name: 'Alice' } }])
  t.equal(requests.length, 2)
})

t.test('a failure says that nothing was sent, and is no second token', async t => {
  for (const result of [failure('reset', true), answer('oops', 500), answer('oops'), refusal('ERR_BAD_REQUEST', 400)]) {
    const { create, requests } = calls(result)
    await t.rejects(create(), { name: 'AppError', delivery: 'not-sent' })
    t.equal(requests.length, 1)
  }
})

t.test('a token is taken back by its name, in the path alone', async t => {
  const { revoke, requests, steps } = calls(answer({ data: { success: true, message: 'x' } }))
  await revoke()
  await revoke('a/../b?c#d%e')
  t.match(requests, [
    { method: 'DELETE', path: `/v3/users/alice/auth_tokens/${TOKEN}` },
    { method: 'DELETE', path: '/v3/users/alice/auth_tokens/a%2F..%2Fb%3Fc%23d%25e' }
  ])
  t.equal(requests[0]?.body, undefined)
  t.notMatch(JSON.stringify(steps), TOKEN)
})

t.test('one that is not there any more is taken back, and our key is as good as before', async t => {
  for (const result of [
    refusal('AUTH_ERR_AUTH_TOKEN_NOT_FOUND', 401),
    refusal('ERR_AUTH_TOKEN_NOT_FOUND', 404),
    refusal('ERR_UID_NOT_FOUND', 404)
  ]) {
    const { revoke, requests, options, events } = calls(result)
    await revoke()
    t.equal(requests.length, 1, 'no other key is tried')
    t.equal(options.keyring.refusedForMs(), undefined)
    t.same(events, [])
  }
})

t.test('anything else leaves it in place, and is told', async t => {
  await t.rejects(calls(answer('oops', 500)).revoke(), { code: 'upstream-error', delivery: 'not-sent' })
  await t.rejects(calls(refusal('AUTH_ERR_NO_ACCESS', 403)).revoke(), { code: 'upstream-credentials' })
  await t.rejects(calls(refusal('ERR_API_NOT_FOUND', 404)).revoke(), { code: 'upstream-misconfigured' })
  const { revoke, requests } = calls(failure('reset', true), answer({ data: {} }))
  await revoke()
  t.equal(requests.length, 2, 'to take back twice does no harm')
})
