// The auth token of CometChat's SDK, as its routes give it: to whom, with which answer, and within which time.
import fastify from 'fastify'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { Caller } from '../../src/auth/caller.ts'
import { CALLER } from '../../src/auth/require-caller.ts'
import { AppError } from '../../src/errors.ts'
import { setErrorHandler } from '../../src/http/error-handler.ts'
import { requestGuard } from '../../src/http/guard/request-guard.ts'
import { Secret } from '../../src/lib/secret.ts'
import type { CometChatUid } from '../../src/lib/service/cometchat-uid.ts'
import { FACTS, LogFields } from '../../src/observability/log-fields.ts'
import { cometchatTokenRoutes } from '../../src/routes/cometchat-token.ts'
import type { SdkTokens } from '../../src/sdk-tokens/sdk-tokens.ts'

const ALICE: Caller = {
  scheme: 'bearer',
  issuer: 'https://issuer.test',
  subject: 'alice',
  uid: 'alice' as CometChatUid,
  actors: []
}
type Deadline = Parameters<SdkTokens['take']>[1]

async function start(t: Test, caller: Caller = ALICE) {
  const app = fastify()
  t.teardown(() => app.close())
  const asked: Deadline[] = []
  const facts = new LogFields()
  let isNew = true
  let isKnown = true
  setErrorHandler(app, { log: pino({ level: 'silent' }) })
  app.decorateRequest(FACTS)
  app.addHook('onRequest', async request => {
    request[FACTS] = facts
    Object.assign(request, { [CALLER]: caller })
  })
  await app.register(requestGuard, {
    drain: { check: () => undefined },
    idempotencyKeyOf(header) {
      if (header === undefined) throw new AppError('idempotency-key-required', 'A key is needed.')
      return header
    },
    reservedMetadata: []
  })
  const tokens: Pick<SdkTokens, 'take' | 'revoke'> = {
    async take(_holder, deadline) {
      asked.push(deadline)
      const taken = { token: new Secret('an-auth-token'), isNew }
      isNew = false
      return taken
    },
    async revoke(_holder, deadline) {
      asked.push(deadline)
      const revoked = isKnown
      isKnown = false
      return revoked
    }
  }
  await app.register(cometchatTokenRoutes, {
    tokens: tokens as SdkTokens,
    appId: 'app-1',
    region: 'eu',
    deadlineMs: 5000,
    monotonic: () => 100
  })
  app.post('/other', async () => 'done')
  const send = (method: 'POST' | 'DELETE', headers: Record<string, string> = {}, url = '/cometchat/token') =>
    app.inject({ method, url, headers })
  return { asked, facts, send }
}

t.test('the first call of a sign-in makes its token, the next ones give the same; none needs a key', async t => {
  const { send } = await start(t)
  const answer = await send('POST')
  t.equal(answer.statusCode, 201)
  t.same(answer.json(), { uid: 'alice', appId: 'app-1', region: 'eu', authToken: 'an-auth-token' })
  t.equal((await send('POST')).statusCode, 200)
  t.match((await send('POST', {}, '/other')).json(), { code: 'idempotency-key-required' })
})

t.test('it is taken back, and the answer says whether there was one', async t => {
  const { send } = await start(t)
  t.same((await send('DELETE')).json(), { revoked: true })
  t.same((await send('DELETE')).json(), { revoked: false })
})

t.test('a call may take as long as the caller waits, and no longer than this service does', async t => {
  const { asked, facts, send } = await start(t)
  for (const prefer of ['wait=2', 'wait=5', 'wait=60']) await send('POST', { prefer })
  await send('DELETE')
  t.same(
    asked.map(({ atMs, isShortened }) => [atMs, isShortened]),
    [
      [2100, true],
      [5100, false],
      [5100, false],
      [5100, false]
    ]
  )
  t.notOk(asked.some(deadline => 'trace' in deadline))
  asked[0]?.onAttempt?.({
    call: 'POST /users/{uid}/auth_tokens',
    askedAtMs: 0,
    begunAtMs: 0,
    endedAtMs: 1,
    keyFingerprint: 'k'
  })
  t.equal(facts.attempts, 1, 'the line says that CometChat was asked')
})

t.test('a service that acts for a user gets no token of theirs, unless its credential allows it', async t => {
  const { asked, send } = await start(t, { ...ALICE, actors: ['billing'] })
  for (const method of ['POST', 'DELETE'] as const) {
    t.match((await send(method)).json(), { status: 403, code: 'forbidden' })
  }
  t.same(asked, [])
  const allowed = await start(t, { ...ALICE, actors: ['billing'], mayTakeSdkTokens: true })
  t.equal((await allowed.send('POST')).statusCode, 201)
})
