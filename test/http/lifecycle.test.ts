import { connect } from 'node:net'
import fastify from 'fastify'
import pino from 'pino'
import t, { type Test } from 'tap'
import { Drain } from '../../src/http/drain.ts'
import { setErrorHandler } from '../../src/http/error-handler.ts'
import { lifecycle } from '../../src/http/lifecycle.ts'
import { FACTS } from '../../src/observability/log-fields.ts'

async function start(t: Test, ignoredHeaders: readonly string[] = []) {
  const lines: Record<string, unknown>[] = []
  const log = pino({ base: null }, { write: line => void lines.push(JSON.parse(line)) })
  const time = { nowMs: 0 }
  const clock = { monotonic: () => time.nowMs, now: () => time.nowMs, sleep: async () => undefined }
  const drain = new Drain(clock, 10_000)
  const app = fastify({ genReqId: () => 'request-1' })
  t.teardown(() => app.close())
  setErrorHandler(app, { log })
  await app.register(lifecycle, { drain, log, ignoredHeaders, connections: { check: () => undefined } })
  app.get('/', { config: { operation: 'look' } }, async ({ [FACTS]: facts }) => {
    facts.uid = 'alice'
    return {}
  })
  return { app, drain, lines, time, get: (headers = {}) => app.inject({ url: '/', headers }) }
}

t.test('every answer has the standard headers and every request its line', async t => {
  const { get, lines } = await start(t)
  const answer = await get()

  t.match(answer.headers, {
    'x-request-id': 'request-1',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'keep-alive'
  })
  t.equal(lines.length, 1)
  t.match(lines[0], { msg: 'request', requestId: 'request-1', method: 'GET', route: '/', status: 200, uid: 'alice' })
})

t.test('a head that another reader could read differently ends its connection', async t => {
  const { get, lines } = await start(t)
  const answer = await get({ apikey: 'x' })

  t.match(answer.headers, { connection: 'close', 'x-request-id': 'request-1', 'cache-control': 'no-store' })
  t.equal(answer.json().code, 'reserved-name')
  t.match(lines, [{ msg: 'request', status: 400, code: 'reserved-name', delivery: 'not-sent' }])
})

t.test('HTTP/1.0 and a request without a host are refused on the wire', async t => {
  const { app } = await start(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  for (const head of ['GET / HTTP/1.0\r\nhost: a\r\n\r\n', 'GET / HTTP/1.0\r\n\r\n']) {
    const socket = connect(port, '127.0.0.1').end(head).setEncoding('utf8')
    const answer = (await socket.toArray()).join('')
    t.match(answer, /^HTTP\/1\.1 400 .*"malformed-request"/s, JSON.stringify(head))
  }
})

t.test('an answer that leaves during the drain ends its connection, and without time none is begun', async t => {
  const { get, drain, time } = await start(t)
  drain.begin()
  t.match(await get(), { statusCode: 200, headers: { connection: 'close' } })

  const graceMs = drain.close()
  time.nowMs = graceMs
  const answer = await get()
  t.match(answer, { statusCode: 503, headers: { connection: 'close', 'retry-after': '1' } })
  t.equal(answer.json().code, 'draining')
})
