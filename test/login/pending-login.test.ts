import t from 'tap'
import { ATTEMPT_MS, createLoginAttempts } from '../../src/login/pending-login.ts'
import { createSealer } from '../../src/login/seal.ts'
import { createLoginSessions } from '../../src/login/sessions.ts'
import { createMemorySessionStore } from '../../src/login/stores/memory.ts'

function start() {
  let nowMs = Date.now()
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  const sealer = createSealer('secret', clock)
  const store = createMemorySessionStore()
  const sessions = createLoginSessions({ store, sealer, clock, idleMs: 1000, absoluteMs: 1000 })
  const attempts = createLoginAttempts(sealer, sessions, clock)
  const pass = (ms: number): void => {
    nowMs += ms
  }
  return { attempts, sealer, clock, pass }
}

const refused = (reason: string) => ({ code: 'csrf', options: { reason } })

t.test('an attempt comes back with its state, once, and with all it was begun with', async t => {
  const { attempts } = start()
  const { attempt, cookie } = await attempts.begin('https://chat.test/app', 'former')

  t.match(await attempts.take(cookie, attempt.state), attempt)
  await t.rejects(attempts.take(cookie, attempt.state), refused('login-replayed'))
})

t.test('ten minutes are enough, and no more', async t => {
  const { attempts, pass } = start()
  const [quick, slow] = [await attempts.begin('/', undefined), await attempts.begin('/', undefined)]

  pass(ATTEMPT_MS - 1)
  t.ok(await attempts.take(quick.cookie, quick.attempt.state))
  pass(1001)
  await t.rejects(attempts.take(slow.cookie, slow.attempt.state), refused('login-expired'))
})

t.test('state and cookie belong together', async t => {
  const { attempts, sealer, clock } = start()
  const [one, other] = [await attempts.begin('/', undefined), await attempts.begin('/', undefined)]
  const endsAtMs = Date.now() + ATTEMPT_MS
  const forged = await sealer.seal({ ...one.attempt }, 'session:x', endsAtMs)
  const ofAnother = await createSealer('x', clock).seal({ ...one.attempt }, 'attempt', endsAtMs)

  for (const [name, cookie, state] of [
    ['the state of another attempt', one.cookie, other.attempt.state],
    ['no state', one.cookie, null],
    ['an empty state', one.cookie, ''],
    ['no cookie', undefined, one.attempt.state],
    ['a cookie sealed for something else', forged, one.attempt.state],
    ['a cookie of another secret', ofAnother, one.attempt.state]
  ] as const) {
    await t.rejects(attempts.take(cookie, state), refused('login-state'), name)
  }
  t.ok(await attempts.take(one.cookie, one.attempt.state), 'failures use nothing up')
})

t.test('the cookie says nothing of what it holds', async t => {
  const { attempt, cookie } = await start().attempts.begin('https://chat.test/app', 'former-session-id')

  const bytes = Buffer.from(cookie, 'base64url').toString('latin1')

  for (const text of [attempt.state, attempt.nonce, attempt.codeVerifier, 'former-session-id', '/app']) {
    t.notOk(bytes.includes(text) || cookie.includes(text))
  }
})
