import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import t from 'tap'
import { Secret } from '../../src/lib/secret.ts'
import { type StoppedSecret, Tripwire } from '../../src/lib/tripwire/tripwire.ts'
import { ToldExporter } from '../../src/observability/traces/told-exporter.ts'

const KEY = '0c1f5e6a7b8d9e0f1a2b3c4d5e6f708192a3b4c5'

t.test('a secret is cut out of every text of a span before it is exported', async t => {
  const tripwire = new Tripwire()
  const told: StoppedSecret[] = []
  tripwire.watch('COMETCHAT_API_KEY', [new Secret(KEY)])
  tripwire.listen(stopped => void told.push(stopped))
  const exported = new InMemorySpanExporter()
  const exporter = new ToldExporter(exported, { onUnsent: () => undefined, cut: text => tripwire.cut(text, 'traces') })
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  const span = provider.getTracer('test').startSpan(`GET ${KEY}`, {
    attributes: { plain: KEY, list: ['a', Buffer.from(KEY).toString('hex')], count: 3, clean: 'clean' },
    links: [{ context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 }, attributes: { of: KEY } }]
  })
  span.addEvent(`exception ${KEY}`, { message: KEY })
  span.setStatus({ code: 2, message: `refused ${KEY}` })
  span.end()
  await provider.forceFlush()

  const [left] = exported.getFinishedSpans()
  t.equal(left?.name, 'GET [removed]')
  t.same(left?.attributes, { plain: '[removed]', list: ['a', '[removed]'], count: 3, clean: 'clean' })
  t.same(left?.links[0]?.attributes, { of: '[removed]' })
  t.match(left?.events, [{ name: 'exception [removed]', attributes: { message: '[removed]' } }])
  t.same(left?.status, { code: 2, message: 'refused [removed]' })
  t.ok(told.length >= 6)
  t.ok(told.every(({ exit }) => exit === 'traces'))
  await provider.shutdown()
})

t.test('lost spans are told with a code or a status and never with a text, and sent ones are not told', async t => {
  const told: (readonly [number, string])[] = []
  const withCode = (code: unknown): Error => Object.assign(new Error('c4n4ry'), { code })
  for (const result of [
    { code: 0 },
    { code: 1, error: withCode(503) },
    { code: 1, error: withCode('ECONNRESET') },
    { code: 1, error: withCode('c4n4ry') },
    { code: 1, error: new Error('c4n4ry') },
    { code: 1 }
  ]) {
    const exporter = new ToldExporter(
      { export: (_spans, done) => done(result), shutdown: async () => undefined },
      { onUnsent: (spans, reason) => void told.push([spans, reason]), cut: text => text }
    )
    let heard: unknown
    exporter.export([], answer => {
      heard = answer
    })
    t.equal(heard, result)
  }
  t.same(told, [
    [0, 'status-503'],
    [0, 'ECONNRESET'],
    [0, 'no-answer'],
    [0, 'no-answer'],
    [0, 'no-answer']
  ])
})
