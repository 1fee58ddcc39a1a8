import { createHmac } from 'node:crypto'
import t from 'tap'
import { createAppSessionAuthenticator } from '../../../src/auth/app-session/authenticator.ts'
import type { StoredSession } from '../../../src/auth/app-session/store.ts'
import { Secret } from '../../../src/lib/secret.ts'

const ID = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
const NOW = 1_800_000_000_000
const SECRET = 'the secret of the app'
const COOKIE = `s:${ID}.${createHmac('sha256', SECRET).update(ID).digest('base64').replace(/=+$/, '')}`

/** What becomes of a cookie whose session is stored like this, and which ids were asked for. */
async function meet(stored: StoredSession | undefined, cookie = COOKIE) {
  const asked: string[] = []
  const authenticate = createAppSessionAuthenticator({
    secrets: [new Secret(SECRET)],
    userPath: 'user.id',
    issuer: 'urn:app',
    store: {
      read: async id => {
        asked.push(id)
        return stored
      }
    },
    clock: { now: () => NOW, monotonic: () => NOW, sleep: async () => undefined }
  })
  const result = await authenticate(cookie).catch((error: { code: string; options: { reason: string } }) => error)
  return { asked, result }
}

function storedAs(session: unknown, ttlMs?: number): StoredSession {
  return { text: typeof session === 'string' ? session : JSON.stringify(session), ttlMs }
}

const at = (ms: number): string => new Date(ms).toISOString()
const user = { user: { id: 'alice' } }

t.test('a session with a user is that user, of the app as its issuer', async t => {
  for (const [cookie, expiresAtMs] of [
    [{}, Number.POSITIVE_INFINITY],
    [{ expires: null }, Number.POSITIVE_INFINITY],
    [{ expires: at(NOW + 1) }, NOW + 1]
  ] as const) {
    const { asked, result } = await meet(storedAs({ cookie, ...user }))

    t.strictSame(result, {
      scheme: 'app-session',
      issuer: 'urn:app',
      subject: 'alice',
      actors: [],
      mayActForOthers: false,
      expiresAtMs,
      session: ID
    })
    t.strictSame(asked, [ID])
  }
})

for (const [what, stored, reason] of [
  ['that nobody knows', undefined, 'session-unknown'],
  ['of another type', { text: undefined, ttlMs: undefined }, 'session-unreadable'],
  ['that is no JSON', storedAs('{"cookie":{}'), 'session-unreadable'],
  ['that is none', storedAs(user), 'session-unreadable'],
  ['that ends this very moment', storedAs({ cookie: { expires: at(NOW) }, ...user }), 'session-expired'],
  ['whose end is no date', storedAs({ cookie: { expires: 'soon' }, ...user }), 'session-expired'],
  ['of nobody', storedAs({ cookie: {}, user: {} }), 'session-without-user']
] as const) {
  t.test(`a session ${what} is refused`, async t => {
    const { result } = await meet(stored)

    t.match(result, { code: 'unauthenticated', options: { reason, challenge: 'Bearer' } })
  })
}

t.test('a cookie that the app has not signed is refused, and no session looked for', async t => {
  const { asked, result } = await meet(storedAs({ cookie: {}, ...user }), `${COOKIE}x`)

  t.match(result, { code: 'unauthenticated', options: { reason: 'session-signature' } })
  t.strictSame(asked, [])
})
