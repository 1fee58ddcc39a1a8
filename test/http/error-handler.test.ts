import fastify from 'fastify'
import pino from 'pino'
import t, { type Test } from 'tap'
import { AppError } from '../../src/errors.ts'
import { setErrorHandler, setNotFoundHandler } from '../../src/http/error-handler.ts'
import { FACTS } from '../../src/observability/log-fields.ts'

/** An app whose only route throws, and the lines that its log has. */
async function start(t: Test, thrown: unknown) {
  const lines: Record<string, unknown>[] = []
  const app = fastify({ genReqId: () => 'request-1' })
  t.teardown(() => app.close())
  setErrorHandler(app, { log: pino({ base: null }, { write: line => void lines.push(JSON.parse(line)) }) })
  setNotFoundHandler(app)
  const facts: unknown[] = []
  app.addHook('onResponse', async request => void facts.push({ ...request[FACTS] }))
  app.get('/', { schema: { response: { '4xx': { type: 'object', properties: {} } } } }, () => Promise.reject(thrown))
  return { get: (headers = {}, url = '/') => app.inject({ url, headers }), lines, facts }
}

t.test('a refusal is a problem with its headers, and is not a line of its own', async t => {
  const options = { challenge: 'Bearer', retryAfterMs: 1200, reason: 'limit-user', messageId: '7' } as const
  const { get, lines, facts } = await start(t, new AppError('rate-limited', 'Wait a little.', options))
  const answer = await get()

  t.equal(answer.statusCode, 429)
  t.match(answer.headers, {
    'content-type': 'application/problem+json',
    'www-authenticate': 'Bearer',
    'retry-after': '2',
    'x-request-id': 'request-1',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff'
  })
  t.match(answer.json(), { code: 'rate-limited', detail: 'Wait a little.', retryAfterMs: 1200, messageId: '7' })
  t.same(lines, [])
  t.match(facts, [{ code: 'rate-limited', delivery: 'not-sent', reason: 'limit-user', messageId: '7' } as const])
})

t.test('a key makes an unknown outcome one that can be asked for again', async t => {
  const { get } = await start(t, new AppError('upstream-reset', 'Lost.', { retryAfterMs: 10 }))
  const [without, withKey] = [await get(), await get({ 'idempotency-key': 'k' })]

  t.same([without.json().retryable, without.headers['retry-after']], [false, undefined])
  t.same([withKey.json().retryable, withKey.headers['retry-after']], [true, '1'])
})

t.test('a bug is a line with its frames, and an answer without a word of it', async t => {
  for (const thrown of [new TypeError('canary'), 'canary', { message: 'canary' }]) {
    const { get, lines } = await start(t, thrown)
    const answer = await get()

    t.same([answer.statusCode, answer.json().code], [500, 'internal'])
    t.equal(lines.length, 1)
    const errorName = thrown instanceof Error ? 'TypeError' : typeof thrown
    t.match(lines[0], { level: 50, msg: 'bug', requestId: 'request-1', errorName })
    t.equal((lines[0]?.['frames'] as unknown[] | undefined)?.length !== 0, thrown instanceof Error)
    t.notMatch(answer.body + JSON.stringify(lines), 'canary')
  }
})

t.test('an address without a route is a problem, too', async t => {
  const { get, facts } = await start(t, undefined)
  const answer = await get({}, '/canary')

  t.same([answer.statusCode, answer.json().code], [404, 'not-found'])
  t.notMatch(answer.body, 'canary')
  t.match(facts, [{ code: 'not-found', delivery: 'not-sent' }])
})
