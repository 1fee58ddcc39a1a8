import t from 'tap'
import { createPendingLogins, LOGIN_MAX_MS } from '../../src/login/pending-login.ts'
import { createSealer } from '../../src/login/seal.ts'
import { createLoginSessions } from '../../src/login/sessions.ts'
import { createMemorySessionStore } from '../../src/login/stores/memory.ts'

function start() {
  let nowMs = Date.now()
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  const sealer = createSealer('secret', clock)
  const store = createMemorySessionStore()
  const sessions = createLoginSessions({ store, sealer, clock, idleMs: 1000, absoluteMs: 1000 })
  const logins = createPendingLogins(sealer, sessions, clock)
  const pass = (ms: number): void => {
    nowMs += ms
  }
  return { logins, sealer, clock, pass }
}

const refused = (reason: string) => ({ code: 'csrf', options: { reason } })

t.test('a sign-in comes back with its state, once, and with all it was begun with', async t => {
  const { logins } = start()
  const { authorization, cookie } = await logins.begin('https://chat.test/app', 'former')

  t.match(await logins.take(cookie, authorization.state), authorization)
  await t.rejects(logins.take(cookie, authorization.state), refused('login-replayed'))
})

t.test('ten minutes are enough, and no more', async t => {
  const { logins, pass } = start()
  const [quick, slow] = [await logins.begin('/', undefined), await logins.begin('/', undefined)]

  pass(LOGIN_MAX_MS - 1)
  t.ok(await logins.take(quick.cookie, quick.authorization.state))
  pass(1001)
  await t.rejects(logins.take(slow.cookie, slow.authorization.state), refused('login-expired'))
})

t.test('state and cookie belong together', async t => {
  const { logins, sealer, clock } = start()
  const [one, other] = [await logins.begin('/', undefined), await logins.begin('/', undefined)]
  const endsAtMs = Date.now() + LOGIN_MAX_MS
  const forged = await sealer.seal({ ...one.authorization }, 'session:x', endsAtMs)
  const ofAnother = await createSealer('x', clock).seal({ ...one.authorization }, 'login', endsAtMs)

  for (const [name, cookie, state] of [
    ['the state of another sign-in', one.cookie, other.authorization.state],
    ['no state', one.cookie, null],
    ['an empty state', one.cookie, ''],
    ['no cookie', undefined, one.authorization.state],
    ['a cookie sealed for something else', forged, one.authorization.state],
    ['a cookie of another secret', ofAnother, one.authorization.state]
  ] as const) {
    await t.rejects(logins.take(cookie, state), refused('login-state'), name)
  }
  t.ok(await logins.take(one.cookie, one.authorization.state), 'failures use nothing up')
})

t.test('the cookie says nothing of what it holds', async t => {
  const { authorization, cookie } = await start().logins.begin('https://chat.test/app', 'former-session-id')

  const bytes = Buffer.from(cookie, 'base64url').toString('latin1')

  for (const text of [
    authorization.state,
    authorization.nonce,
    authorization.codeVerifier,
    'former-session-id',
    '/app'
  ]) {
    t.notOk(bytes.includes(text) || cookie.includes(text))
  }
})
