import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider
} from '@opentelemetry/sdk-trace'
import t from 'tap'
import { RequestSpans } from '../../src/observability/traces/request-spans.ts'

function open(ratio = 1, upstream = 'https://1234.api-eu.cometchat.io') {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({
    sampler: new TraceIdRatioBasedSampler(ratio),
    spanProcessors: [new SimpleSpanProcessor({ exporter })]
  })
  // In the past: the SDK takes a number beyond its own clock for a date.
  const time = { nowMs: performance.now() - 1000 }
  const spans = new RequestSpans({
    tracer: provider.getTracer('test'),
    trust: 'link',
    upstream: new URL(upstream),
    monotonic: () => time.nowMs
  })
  return { spans, time, finished: () => exporter.getFinishedSpans() }
}

const TRANSITION = {
  name: 'store-transition',
  store: 'redis',
  transition: 'acquire',
  durationMs: 5,
  isFailed: true
} as const
const FETCH = { name: 'key-fetch', issuer: 'https://issuer.test', durationMs: 40 } as const

t.test('a fetch of keys is a trace of its own, as long as it took', async t => {
  const { spans, finished } = open()
  spans.noteFetch({ ...FETCH, result: 'ok' })
  spans.noteFetch({ ...FETCH, result: 'keys-status-404' })
  const [good, bad] = finished()
  t.match(good, {
    name: 'fetch keys',
    kind: 2,
    attributes: { 'jwks.issuer': 'https://issuer.test' },
    status: { code: 0 }
  })
  t.match(bad, { attributes: { 'error.type': 'keys-status-404' }, status: { code: 2 } })
  t.not(good?.spanContext().traceId, bad?.spanContext().traceId)
  t.equal(Math.round(good?.duration[1] ?? 0) / 1e6, 40)
})

t.test('calls and transitions are within the request', async t => {
  const { spans, finished, time } = open()
  const request = spans.begin('POST', '/threads/:parentId/replies', undefined)
  request.noteTransition(TRANSITION, time.nowMs)
  const again = request.beginAttempt('POST /messages/{id}/thread', 2)
  time.nowMs += 300
  const attempt = {
    name: 'upstream-attempt',
    call: 'POST /messages/{id}/thread',
    queueMs: 7.4,
    durationMs: 290
  } as const
  again.end({ ...attempt, cause: 'deadline' }, time.nowMs)
  request.end({ method: 'POST', status: 504, code: 'deadline-exceeded', reason: 'no-answer' })

  const [transition, call, server] = finished()
  t.match(transition, {
    name: 'store acquire',
    kind: 2,
    attributes: { 'db.system.name': 'redis', 'error.type': 'store-unavailable' },
    status: { code: 2 }
  })
  t.match(call, {
    kind: 2,
    attributes: {
      'server.address': '1234.api-eu.cometchat.io',
      'server.port': 443,
      'http.request.resend_count': 2,
      'reply.queue_ms': 7,
      'error.type': 'deadline'
    }
  })
  t.equal(Math.round((call?.duration[1] ?? 0) / 1e6), 300)
  t.match(server, { kind: 1, attributes: { 'error.type': 'deadline-exceeded' }, status: { code: 2 } })
  for (const step of [transition, call]) t.equal(step?.parentSpanContext?.spanId, server?.spanContext().spanId)
  t.equal(again.traceparent, `00-${request.traceId}-${call?.spanContext().spanId}-01`)
})

t.test('a call is an error from 400 on, and only a repeated one says how often', async t => {
  const { spans, finished, time } = open(1, 'http://[::1]:4000')
  const request = spans.begin('POST', '/', undefined)
  const attempt = { name: 'upstream-attempt', call: 'GET /messages/{id}', queueMs: 0, durationMs: 0 } as const
  for (const status of [200, 399, 400]) {
    request.beginAttempt(attempt.call, 0).end({ ...attempt, status }, time.nowMs)
  }
  const calls = finished()
  t.same(
    calls.map(({ attributes, status }) => [attributes['error.type'], status.code]),
    [
      [undefined, 0],
      [undefined, 0],
      ['400', 2]
    ]
  )
  for (const { attributes } of calls) {
    t.same([attributes['server.address'], attributes['server.port']], ['::1', 4000])
    t.notOk('http.request.resend_count' in attributes)
  }
})

t.test('a transition is as long as it took, and a call where another process has the records', async t => {
  const { spans, finished, time } = open()
  const request = spans.begin('POST', '/', undefined)
  const stores = ['memory', 'file', 'redis', 'postgres'] as const
  for (const store of stores) request.noteTransition({ ...TRANSITION, store, isFailed: false }, time.nowMs)
  t.same(
    finished().map(({ kind, attributes }) => [kind, attributes['db.system.name']]),
    [
      [0, undefined],
      [0, 'sqlite'],
      [2, 'redis'],
      [2, 'postgresql']
    ]
  )
  for (const { duration, status } of finished()) {
    t.equal(Math.round(duration[1] / 1e6), TRANSITION.durationMs)
    t.equal(status.code, 0)
  }
})

t.test('what was replayed says so, and what was not says nothing', async t => {
  const { spans, finished } = open()
  for (const replayed of [true, false]) {
    spans.begin('POST', '/', undefined).end({ method: 'POST', status: 201, replayed })
  }
  t.same(
    finished().map(({ attributes }) => attributes['reply.replayed']),
    [true, undefined]
  )
})

t.test('a method that nobody knows, and an address that is none, name nothing', async t => {
  const { spans, finished } = open()
  spans.begin('BREW', undefined, undefined).end({ method: 'BREW', route: 'none', status: 404 })
  t.match(finished()[0], { name: 'HTTP', attributes: { 'http.request.method': '_OTHER' }, status: { code: 0 } })
  t.notOk('http.route' in (finished()[0]?.attributes ?? {}))
})

t.test('of requests as many are sampled as the ratio says, and CometChat is told of each which it is', async t => {
  const { spans, finished } = open(0.1)
  let told = 0
  for (let count = 0; count < 2000; count++) {
    const request = spans.begin('POST', '/', undefined)
    const attempt = request.beginAttempt('GET /messages/{id}', 0)
    if (attempt.traceparent.length !== 55) t.fail(attempt.traceparent)
    if (attempt.traceparent.endsWith('-01')) told++
    request.end({ method: 'POST', status: 201 })
  }
  const sampled = finished().length
  t.equal(told, sampled)
  t.ok(sampled > 120 && sampled < 280, `${sampled} of 2000`)
})
