import t from 'tap'
import { ATTEMPT_MS, createLoginAttempts } from '../../src/login/pending-login.ts'
import { createSealer } from '../../src/login/seal.ts'
import { createLoginSessions } from '../../src/login/sessions.ts'
import { createMemorySessionStore } from '../../src/login/stores/memory.ts'

function start() {
  let nowMs = Date.now()
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  const sealer = createSealer('secret')
  const store = createMemorySessionStore()
  const sessions = createLoginSessions({ store, sealer, clock, idleMs: 1000, absoluteMs: 1000 })
  const attempts = createLoginAttempts(sealer, sessions, clock)
  const pass = (ms: number): void => {
    nowMs += ms
  }
  return { attempts, sealer, pass }
}

const refused = (reason: string) => ({ code: 'csrf', options: { reason } })

t.test('an attempt comes back with its state, once, and with all it was begun with', async t => {
  const { attempts } = start()
  const { attempt, cookie } = attempts.begin('https://chat.test/app', 'former')

  t.same(await attempts.take(cookie, attempt.state), attempt)
  await t.rejects(attempts.take(cookie, attempt.state), refused('login-replayed'))
})

t.test('ten minutes are enough, and no more', async t => {
  const { attempts, pass } = start()
  const [quick, slow] = [attempts.begin('/', undefined), attempts.begin('/', undefined)]

  pass(ATTEMPT_MS - 1)
  t.ok(await attempts.take(quick.cookie, quick.attempt.state))
  pass(1)
  await t.rejects(attempts.take(slow.cookie, slow.attempt.state), refused('login-expired'))
})

t.test('state and cookie belong together', async t => {
  const { attempts, sealer } = start()
  const [one, other] = [attempts.begin('/', undefined), attempts.begin('/', undefined)]
  const forged = sealer.seal({ ...one.attempt }, 'session:x')

  for (const [name, cookie, state] of [
    ['the state of another attempt', one.cookie, other.attempt.state],
    ['no state', one.cookie, null],
    ['an empty state', one.cookie, ''],
    ['no cookie', undefined, one.attempt.state],
    ['a cookie sealed for something else', forged, one.attempt.state],
    ['a cookie of another secret', createSealer('x').seal(one.attempt, 'attempt'), one.attempt.state]
  ] as const) {
    await t.rejects(attempts.take(cookie, state), refused('login-state'), name)
  }
  t.ok(await attempts.take(one.cookie, one.attempt.state), 'failures use nothing up')
})

t.test('the cookie says nothing of what it holds', async t => {
  const { attempt, cookie } = start().attempts.begin('https://chat.test/app', 'former-session-id')

  const bytes = Buffer.from(cookie, 'base64url').toString('latin1')

  for (const text of [attempt.state, attempt.nonce, attempt.codeVerifier, 'former-session-id', '/app']) {
    t.notOk(bytes.includes(text) || cookie.includes(text))
  }
})
