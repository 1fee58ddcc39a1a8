// What only a host can give is looked at when the plugin is registered, and named.
import fastify, { type FastifyServerOptions } from 'fastify'
import t from 'tap'
import { checkHost, HostError } from '../../src/plugin/host-checks.ts'
import type { ThreadRepliesSettings } from '../../src/plugin/setting-names.ts'
import { readSettings } from '../../src/plugin/settings.ts'
import { IN_MEMORY } from './host.ts'

const GOOD = { requestTimeout: 15_000, routerOptions: { maxParamLength: 765 } }

/** The warnings, or the problems of a refusal. */
async function findingsOf(server: object, more: ThreadRepliesSettings = {}, prefix = '') {
  const settings = { ...IN_MEMORY, COMETCHAT_BASE_URL: 'http://127.0.0.1:1', COMETCHAT_API_KEY: 'an-api-key-of-nobody' }
  const app = fastify({ ...GOOD, ...server } as FastifyServerOptions)
  let found: readonly string[] = []
  await app.register(
    async scope => {
      try {
        found = checkHost(scope, readSettings({ ...settings, ...more }, []))
      } catch (error) {
        if (!(error instanceof HostError)) throw error
        t.match(error.message, /^Thread replies cannot be registered here:\n {2}- /)
        found = error.problems.map(problem => `refused: ${problem}`)
      }
    },
    { prefix }
  )
  await app.close()
  return found
}

const LOGIN = {
  AUTH_LOGIN_ISSUER: 'https://issuer.test',
  AUTH_LOGIN_CLIENT_ID: 'id',
  AUTH_LOGIN_CLIENT_SECRET: 'a-client-secret-of-many-bytes',
  AUTH_LOGIN_URL: 'https://chat.example.com'
}

t.test('a host that gives everything is told nothing', async t => {
  t.same(await findingsOf({}), [])
  t.same(await findingsOf({ connectionTimeout: 45_000, trustProxy: '10.0.0.1' }, { TRUST_PROXY: '10.0.0.1' }), [])
  t.same(await findingsOf({ https: null }, {}, '/chat/v1'), [])
  t.same(await findingsOf({}, LOGIN), [], 'a sign-in without a prefix')
})

for (const [title, server, settings, prefix, finding] of [
  ['HTTP/2', { http2: true }, {}, '', /^refused: http2 must be off/],
  [
    'a lenient parser',
    { http: { insecureHTTPParser: true } },
    {},
    '',
    /^refused: http\.insecureHTTPParser must be off/
  ],
  [
    'a connection that ends too early',
    { connectionTimeout: 5000 },
    {},
    '',
    /^refused: connectionTimeout is 5000 ms and must be 0 or at least 15000 ms/
  ],
  ['proxies that the app does not trust', {}, { TRUST_PROXY: '10.0.0.1' }, '', /^refused: TRUST_PROXY names proxies/],
  ['an address with parameters', {}, {}, '/:tenant', /^refused: The prefix must hold no parameters/],
  ['a sign-in below a prefix', {}, LOGIN, '/chat', /^refused: AUTH_LOGIN_ISSUER needs a registration without a prefix/],
  ['no time for requests', { requestTimeout: 0 }, {}, '', /^requestTimeout of the app is 0/],
  ['large heads', { http: { maxHeaderSize: 65_536 } }, {}, '', /^http\.maxHeaderSize of the app is 65536/],
  ['proxies that only the app trusts', { trustProxy: true }, {}, '', /^The app was made with trustProxy/],
  ['an end by force', { forceCloseConnections: true }, {}, '', /^forceCloseConnections of the app is true/],
  ['short parameters', { routerOptions: { maxParamLength: 100 } }, {}, '', /^maxParamLength of the app is 100/],
  [
    'short parameters, as before',
    { maxParamLength: 50, routerOptions: undefined },
    {},
    '',
    /^maxParamLength of the app is 50/
  ]
] as const) {
  t.test(`${title}: named`, async t => {
    const found = await findingsOf(server, settings, prefix)
    t.equal(found.length, 1, found.join('\n'))
    t.match(found[0], finding)
  })
}
