// The plugins that most apps of Fastify have, in a host that has them all, on sockets.
import { createHash } from 'node:crypto'
import compress from '@fastify/compress'
import etag from '@fastify/etag'
import helmet from '@fastify/helmet'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import rateLimit from '@fastify/rate-limit'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import t from 'tap'
import { connectRaw } from '../helpers/raw-http.ts'
import { PREFIX, startHost } from './host.ts'

const LONG = 'long '.repeat(190)
/** As @fastify/etag makes it. */
const tagOf = (text: string): string => `"${createHash('sha1').update(text).digest('base64')}"`

t.test('compress, etag, helmet, rate-limit and otel in the host change no answer', async t => {
  const exporter = new InMemorySpanExporter()
  const otel = new FastifyOtelInstrumentation({ registerOnInitialization: false })
  otel.setTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
  const { app, url, path, token, send, posted, emulator, env } = await startHost(t, {
    settings: { LIMIT_MODE: 'observe' },
    async setUp(app) {
      await app.register(otel.plugin())
      await app.register(compress, { global: true, threshold: 0 })
      await app.register(etag)
      await app.register(helmet)
      await app.register(rateLimit, { global: true, max: 12, timeWindow: 60_000 })
      app.get('/own', async () => ({ own: LONG }))
    }
  })
  const asked = { 'accept-encoding': 'gzip', 'if-none-match': '*' }

  const sent = await send({ data: { text: LONG } }, { ...asked, 'idempotency-key': 'one' })
  t.match([sent.status, sent.json], [201, { data: { data: { text: LONG } } }])
  t.match(sent.headers.get('content-security-policy'), /default-src/, 'helmet has its say')
  t.match(sent.headers.get('x-ratelimit-remaining'), '11')
  t.equal(sent.headers.get('cache-control'), 'no-store')
  t.ok(sent.headers.get('ratelimit') === null && sent.headers.get('x-request-id'))

  const repeat = await send({ data: { text: LONG } }, { ...asked, 'idempotency-key': 'one' })
  t.equal(repeat.text, sent.text, 'a repeat is the same answer, to the byte')
  t.match([repeat.status, repeat.headers.get('idempotent-replayed')], [201, 'true'])
  const tagged = await send(
    { data: { text: LONG } },
    {
      'idempotency-key': 'one',
      'if-none-match': tagOf(sent.text)
    }
  )
  t.equal(tagged.status, 201, 'and is one also to whom knows the tag of the first')
  t.equal(posted(), 1)

  const refused = await send({ data: { text: 1 } }, asked)
  t.match([refused.status, refused.json], [422, { code: 'invalid-request', delivery: 'not-sent' }])
  t.equal(refused.headers.get('content-type'), 'application/problem+json')
  for (const { headers } of [sent, repeat, tagged, refused]) {
    t.same([headers.get('content-encoding'), headers.get('etag')], [null, null])
  }
  t.match((await send({}, { ...asked, authorization: 'Bearer a' })).json, { code: 'unauthenticated' })

  // The answer of a request whose body is not read has to arrive, too.
  const raw = await connectRaw(t, url)
  raw.send(
    `POST ${path} HTTP/1.1\r\nhost: a\r\naccept-encoding: gzip\r\ncontent-type: text/plain\r\nauthorization: Bearer ${token}\r\ncontent-length: 900000\r\n\r\n`
  )
  for (let sentBytes = 0; sentBytes < 900_000; sentBytes += 90_000) raw.send('x'.repeat(90_000))
  t.equal((await raw.answer()).status, 415)

  const own = await fetch(`${url}/own`, { headers: { 'accept-encoding': 'gzip' } })
  t.same([own.headers.get('content-encoding'), await own.json()], ['gzip', { own: LONG }], 'the host has what it wants')

  for (let more = 0; more < 12; more++)
    await fetch(`${url}${PREFIX}/me`, { headers: { authorization: `Bearer ${token}` } })
  const limited = await send(undefined, { 'idempotency-key': 'two' })
  t.match([limited.status, limited.json], [429, { code: 'rate-limited', delivery: 'not-sent', retryable: true }])
  t.equal(posted(), 1)
  t.ok(Number(limited.headers.get('retry-after')) > 0)

  await app.close()
  t.ok(exporter.getFinishedSpans().length > 5)
  t.notMatch(JSON.stringify(exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes])), token)
  t.ok(emulator.ledger.length >= 1 && env.COMETCHAT_API_KEY !== '')
})
