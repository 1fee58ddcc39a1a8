import fastify from 'fastify'
import t, { type Test } from 'tap'
import { crossOrigin } from '../../src/http/cross-origin.ts'

const LISTED = 'https://app.example.com'
const ALLOWED = ['access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers']

async function start(t: Test) {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(crossOrigin, { origins: new Set([LISTED]) })
  app.post('/', async () => 'fine')
  const preflight = (origin: string, headers: Record<string, string> = { 'access-control-request-method': 'POST' }) =>
    app.inject({ method: 'OPTIONS', url: '/', headers: { origin, ...headers } })
  const post = (origin?: string) => app.inject({ method: 'POST', url: '/', headers: origin ? { origin } : {} })
  return { preflight, post }
}

t.test('a page of a listed origin may call and read', async t => {
  const { preflight, post } = await start(t)
  const asked = await preflight(LISTED)

  t.equal(asked.statusCode, 204)
  t.match(asked.headers, {
    'access-control-allow-origin': LISTED,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'POST',
    'access-control-max-age': '7200',
    vary: /Origin/i
  })
  t.match(asked.headers['access-control-allow-headers'], /authorization.*idempotency-key.*x-csrf/)
  const answer = await post(LISTED)
  t.match(answer.headers, { 'access-control-allow-origin': LISTED, 'access-control-allow-credentials': 'true' })
  t.match(answer.headers['access-control-expose-headers'], /idempotent-replayed.*retry-after.*x-request-id/)
})

t.test('any other origin is told nothing', async t => {
  const { preflight, post } = await start(t)
  for (const origin of [
    'https://evil.test',
    `${LISTED}.evil.test`,
    `${LISTED}:8443`,
    'null',
    LISTED.toUpperCase(),
    `${LISTED}/`
  ]) {
    for (const answer of [await preflight(origin), await post(origin)]) {
      for (const name of ALLOWED) t.notOk(name in answer.headers, `${origin}: ${name}`)
    }
  }
  const { headers } = await post()
  t.notOk('access-control-allow-origin' in headers, 'no origin at all')
})

t.test('what only looks like a preflight is answered by the service itself', async t => {
  const { preflight } = await start(t)
  const answer = await preflight(LISTED, {})

  t.notMatch(answer.headers['content-type'], 'text/plain')
})
