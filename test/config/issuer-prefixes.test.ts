import t from 'tap'
import { loadConfig } from '../../src/config/load-config.ts'
import { refusalsOf } from './refusals.ts'

/** The mistakes of a start with two issuers of one population. */
function problemsOf(prefixes: readonly (string | undefined)[], more: Record<string, string>): readonly string[] {
  const entries = prefixes.map((uidStrip, index) => ({
    issuer: `https://issuer-${index}.test`,
    audience: ['replies'],
    usersOf: 'urn:users',
    ...(uidStrip !== undefined && { uidStrip })
  }))
  const env = {
    COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
    COMETCHAT_API_KEY: 'key-of-a-test',
    AUTH_ISSUERS_FILE: 'issuers.json'
  }
  return refusalsOf(() => loadConfig({ ...env, ...more }, () => JSON.stringify(entries)))
}

t.test('two prefixes of one population would make two users one, but where owners keep them apart', async t => {
  const refused = [/^AUTH_ISSUERS_FILE entry 1, uidStrip: another entry of the same usersOf/]
  for (const UID_MODE of ['verbatim', 'hash']) {
    t.match(problemsOf(['auth0|', 'google|'], { UID_MODE }), refused, UID_MODE)
    t.match(problemsOf(['auth0|', undefined], { UID_MODE }), refused, UID_MODE)
    t.strictSame(problemsOf(['auth0|', 'auth0|'], { UID_MODE }), [])
    t.strictSame(problemsOf(['auth0|', undefined], { UID_MODE, UID_STRIP: 'auth0|' }), [], 'one of them by default')
  }
  t.strictSame(problemsOf(['auth0|', 'google|'], { UID_MODE: 'lower' }), [])
})
