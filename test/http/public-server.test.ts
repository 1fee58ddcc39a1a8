// What Node's parser and Fastify refuse before any hook runs, on a socket.
import { connect } from 'node:net'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { setErrorHandler, setNotFoundHandler } from '../../src/http/error-handler.ts'
import { createPublicServer } from '../../src/http/public-server.ts'

async function start(t: Test) {
  const app = createPublicServer({ isProxy: () => false, deadlineMs: 1000, keepAliveTimeoutMs: 5000 })
  t.teardown(() => app.close())
  setErrorHandler(app, { log: pino({ level: 'silent' }) })
  setNotFoundHandler(app)
  const bodies: unknown[] = []
  app.post('/', async ({ body }) => ({ length: bodies.push(body) }))
  app.post('/slow', async () => new Promise(resolve => setTimeout(resolve, 50, { slow: true })))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const send = async (text: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    socket.write(text)
    return (await socket.toArray()).join('')
  }
  return { bodies, send }
}

const post = (path: string, body: string, more = ''): string =>
  `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${more}content-length: ${body.length}\r\n\r\n${body}`
const last = (path: string, body: string): string => post(path, body, 'connection: close\r\n')
const statuses = (text: string): string[] =>
  Array.from(text.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => String(status))

t.test('what the parser refuses is a problem, and the connection ends', async t => {
  const { send, bodies } = await start(t)
  for (const [text, status, code] of [
    ['rubbish\r\n\r\n', 400, 'malformed-request'],
    [`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(17_000)}\r\n\r\n`, 431, 'headers-too-large'],
    [
      `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n{}`,
      400,
      'malformed-request'
    ]
  ] as const) {
    const answer = await send(text)
    t.match(
      answer,
      new RegExp(`^HTTP/1\\.1 ${status} .*connection: close.*application/problem\\+json.*"code":"${code}"`, 'is')
    )
    t.match(answer, /x-request-id: [0-9a-f-]{36}\r\ncache-control: no-store\r\nx-content-type-options: nosniff/)
  }
  t.same(bodies, [])
})

t.test('behind a whole request a refusal of the parser waits for its answer and is never taken for it', async t => {
  const { send } = await start(t)
  const answer = await send(`${post('/slow', '{}')}rubbish\r\n\r\n`)

  t.same(statuses(answer), ['200'])
  t.match(answer, '{"slow":true}')
})

t.test('an encoding, an address or a body that Fastify refuses is a problem, too', async t => {
  const { send, bodies } = await start(t)
  for (const [text, code] of [
    [last('/%zz', '{}'), 'malformed-request'],
    [last('/none', '{}'), 'not-found'],
    [last('/', '{'), 'malformed-request'],
    [last('/', JSON.stringify('x'.repeat(256 * 1024))), 'payload-too-large']
  ] as const) {
    t.match(await send(text), `"code":"${code}"`, code)
  }
  t.same(bodies, [])
})

t.test('an idle connection is kept for as long as is said', async t => {
  const app = createPublicServer({ isProxy: () => false, deadlineMs: 1000, keepAliveTimeoutMs: 5000 })
  t.teardown(() => app.close())
  t.equal(app.server.keepAliveTimeout, 5000)
})
