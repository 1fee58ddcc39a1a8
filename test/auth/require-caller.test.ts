import fastify from 'fastify'
import t, { type Test } from 'tap'
import { type RequireCallerOptions, requireCaller } from '../../src/auth/require-caller.ts'
import { createUidMap } from '../../src/auth/uid/uid-map.ts'

const HEADERS = { authorization: 'Bearer canary-token', cookie: 'theme=canary-cookie', 'x-kept': 'yes' }

/** A host's server with one signed-in route, and what its hooks see of a request that was answered. */
async function seenByHost(t: Test, options: Partial<RequireCallerOptions>) {
  const app = fastify()
  t.teardown(() => app.close())
  const seen: { headers: object; rawHeaders: readonly string[] }[] = []
  app.addHook('onResponse', async ({ headers, raw }) => void seen.push({ headers, rawHeaders: [...raw.rawHeaders] }))
  await app.register(requireCaller, {
    bearer: async token => ({
      scheme: 'bearer',
      issuer: 'https://issuer.test',
      subject: token === 'canary-token' ? 'alice' : 'nobody',
      actors: [],
      mayActForOthers: false
    }),
    cookies: new Map(),
    csrf: { allowedOrigins: new Set<string>() },
    uidOf: createUidMap({ mode: 'verbatim', prefix: '' }),
    ...options
  })
  app.post('/', async ({ caller }) => caller.uid)
  const answer = await app.inject({ method: 'POST', url: '/', headers: HEADERS })
  t.same([answer.statusCode, answer.body], [200, 'alice'])
  return seen[0]
}

t.test('the hooks of a host see its request whole', async t => {
  const seen = await seenByHost(t, {})

  t.match(seen?.headers, HEADERS)
  t.match(seen?.rawHeaders.join(' '), 'canary-token')
})

t.test('a server of our own holds no credential of a request that waits for CometChat', async t => {
  const seen = await seenByHost(t, { forgetCredentials: true })

  t.match(seen?.headers, { authorization: '', cookie: '', 'x-kept': 'yes' })
  t.same(seen?.rawHeaders, [])
})
