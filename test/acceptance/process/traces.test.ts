// Traces at a real receiver of OTLP, which judges them by the official schema; and what happens without one.
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { freePort } from '../../helpers/free-port.ts'
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../../helpers/otlp-receiver.ts'
import { type ServiceEnv, type ServiceProcess, startService } from '../../helpers/service-process.ts'
import { postReply, type ReplyAttempt, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'

const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const TRACEPARENT = `00-${CALLER.traceId}-${CALLER.spanId}-01`
const [INTERNAL, SERVER, CLIENT] = [1, 2, 3]
const ERROR = 2
const LOADED = fileURLToPath(new URL('../../helpers/loaded-modules.mjs', import.meta.url))
/** Names of people and threads, which no span may hold. */
const SENT = { text: 'c4n4ry text', idempotencyKey: 'c4n4ry-key', tracestate: 'c4n4ry=1', baggage: 'who=c4n4ry' }

t.setTimeout(240_000)
const { emulator, env, parentId } = await startEmulator(t)
const token = await tokenFor('alice')
let sent = 0

interface Traced {
  readonly status: number
  readonly line: { readonly [field: string]: unknown }
  /** The whole trace, the server's span first. */
  readonly spans: readonly ReceivedSpan[]
  /** What CometChat was asked, in order. */
  readonly asked: (typeof emulator.requests)[number][]
}

/** One reply, and the trace of it. */
async function trace(
  service: ServiceProcess,
  receiver: OtlpReceiver,
  attempt: Partial<ReplyAttempt> = {}
): Promise<Traced> {
  const requestId = `c4n4ry-request-${++sent}`
  const before = emulator.requests.length
  const headers = { 'x-request-id': requestId, ...attempt.headers }
  const { status } = await postReply(service, { parentId, token, ...attempt, headers })
  const line = await service.lineWhere(({ requestId: id }) => id === requestId)
  const ofTrace = ({ traceId }: ReceivedSpan): boolean => traceId === line['trace_id']
  const all = await receiver.spansWhere(span => ofTrace(span) && span.kind === SERVER)
  // The request first: a span that begins in the same moment may have the earlier stamp.
  const rank = ({ kind }: ReceivedSpan): number => (kind === SERVER ? 0 : 1)
  const spans = all
    .filter(ofTrace)
    .sort((one, other) => rank(one) - rank(other) || Number(one.beganAtNs - other.beganAtNs))
  return { status, line, spans, asked: emulator.requests.slice(before) }
}

async function start(
  t: Parameters<typeof startService>[0] & Parameters<typeof startOtlpReceiver>[0],
  more: ServiceEnv = {}
) {
  const receiver = await startOtlpReceiver(t)
  const service = await startService(t, { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...more })
  return { receiver, service }
}

const traced = await start(t, {
  STORE_URL: `file:${t.testdir()}/replies.db`,
  STORE_SECRET: 'a-store-secret-of-at-least-32-bytes'
})

t.test('a reply is a span of the server, and in it one for each attempt and each transition', async t => {
  const { service, receiver } = traced
  const { idempotencyKey, ...others } = SENT
  const { status, line, spans, asked } = await trace(service, receiver, {
    headers: { 'idempotency-key': idempotencyKey, tracestate: others.tracestate, baggage: others.baggage },
    body: { data: { text: others.text } }
  })

  t.equal(status, 201)
  const [server, ...steps] = spans
  t.match(server, {
    name: 'POST /threads/:parentId/replies',
    kind: SERVER,
    parentSpanId: undefined,
    status: 0,
    links: [],
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/threads/:parentId/replies',
      'http.response.status_code': 201,
      'reply.delivery': 'sent',
      'reply.attempts': 2
    }
  })
  t.same(
    steps.map(({ name, kind }) => [name, kind]),
    [
      ['store acquire', INTERNAL],
      ['GET /messages/{id}', CLIENT],
      ['store mark-sent', INTERNAL],
      ['POST /messages/{id}/thread', CLIENT],
      ['store complete', INTERNAL]
    ]
  )
  const { hostname, port } = new URL(env.COMETCHAT_BASE_URL)
  t.match(steps[3]?.attributes, {
    'http.request.method': 'POST',
    'url.template': '/v3/messages/{id}/thread',
    'server.address': hostname,
    'server.port': Number(port),
    'http.response.status_code': 200
  })
  t.match(steps[0]?.attributes, { 'db.system.name': 'sqlite', 'db.operation.name': 'acquire' })
  for (const step of steps) {
    t.equal(step.parentSpanId, server?.spanId)
    t.ok(step.beganAtNs >= (server?.beganAtNs ?? 0n) && step.endedAtNs <= (server?.endedAtNs ?? 0n), 'within it')
  }
  t.equal(line['trace_id'], server?.traceId)
  const calls = steps.filter(({ kind }) => kind === CLIENT)
  t.same(
    asked.map(({ headers }) => headers['traceparent']),
    calls.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
    'CometChat is told of the span of each call'
  )
})

t.test('nothing of a caller is in a span, nor in a call more than traceparent', async t => {
  const { receiver, service } = traced
  const { asked } = await trace(service, receiver, { headers: { tracestate: SENT.tracestate, baggage: SENT.baggage } })

  const bodies = receiver.asked.map(({ body }) => body).join('\n')
  t.ok(bodies.length > 1000)
  for (const word of [
    'c4n4ry',
    'alice',
    'bob',
    `"${parentId}"`,
    `/${parentId}`,
    token,
    emulator.apiKey,
    'issuer.test'
  ]) {
    t.notOk(bodies.includes(word), word)
  }
  for (const { headers } of asked) t.notOk('tracestate' in headers || 'baggage' in headers)
})

t.test("a caller's trace is linked to, and not continued", async t => {
  const { receiver, service } = traced
  for (const flags of ['00', '01', 'ff']) {
    const { spans } = await trace(service, receiver, {
      headers: { traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-${flags}` }
    })
    t.match(spans[0], { parentSpanId: undefined, links: [CALLER] }, flags)
    t.not(spans[0]?.traceId, CALLER.traceId)
  }
})

t.test('what is no valid traceparent is nothing: no link, and the reply is sent', async t => {
  const { receiver, service } = traced
  for (const traceparent of [
    'none',
    `00-${'0'.repeat(32)}-${CALLER.spanId}-01`,
    `00-${CALLER.traceId}-${'0'.repeat(16)}-01`,
    `ff-${CALLER.traceId}-${CALLER.spanId}-01`,
    TRACEPARENT.toUpperCase(),
    `${TRACEPARENT}-more`,
    `${TRACEPARENT}, ${TRACEPARENT}`,
    'x'.repeat(8000)
  ]) {
    const { status, spans } = await trace(service, receiver, { headers: { traceparent } })
    t.equal(status, 201)
    t.match(spans[0], { parentSpanId: undefined, links: [] }, traceparent.slice(0, 60))
  }
  // More than a head may hold.
  const tooMuch = await postReply(service, { parentId, token, headers: { tracestate: 'a=b,'.repeat(20_000) } }).catch(
    () => undefined
  )
  t.ok(tooMuch === undefined || tooMuch.status === 431)
})

t.test('a refusal says why, and what failed is an error', async t => {
  const { receiver, service } = traced
  const refused = await trace(service, receiver, { token: 'none' })
  t.same(refused.spans.length, 1)
  t.match(refused.spans[0], {
    status: 0,
    attributes: { 'reply.code': 'unauthenticated', 'reply.reason': 'token-form' }
  })

  emulator.failNext({ kind: 'server-error' }, { method: 'POST' })
  const failed = await trace(service, receiver)
  t.match(failed.spans[0], {
    status: ERROR,
    attributes: { 'error.type': 'upstream-error', 'reply.reason': 'status-5xx', 'http.response.status_code': 502 }
  })
  const post = failed.spans.find(({ name }) => name === 'POST /messages/{id}/thread')
  t.match(post, { status: ERROR, attributes: { 'error.type': '500', 'http.response.status_code': 500 } })

  emulator.failNext({ kind: 'reset' }, { method: 'POST' })
  const lost = await trace(service, receiver)
  t.match(
    lost.spans.find(({ name }) => name === 'POST /messages/{id}/thread'),
    { status: ERROR, attributes: { 'error.type': 'reset' } }
  )
})

t.test('spans say which service they are of', async t => {
  const { instance } = await traced.service.lineWhere(({ msg }) => msg === 'listening')
  t.match(traced.receiver.spans()[0]?.resource, { 'service.name': 'thread-reply-bff', 'service.instance.id': instance })
})

t.test('TRACE_TRUST=parent continues the trace of a caller, who decides what is sampled', async t => {
  const { receiver, service } = await start(t, {
    TRACE_TRUST: 'parent',
    OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=c4n4ry%20key',
    OTEL_SERVICE_NAME: 'replies',
    INSTANCE_NAME: 'replies-1'
  })
  const { spans, line } = await trace(service, receiver, { headers: { traceparent: TRACEPARENT } })
  t.equal(line['trace_id'], CALLER.traceId)
  t.match(spans[0], { traceId: CALLER.traceId, parentSpanId: CALLER.spanId, links: [] })
  t.match(spans[0]?.resource, { 'service.name': 'replies', 'service.instance.id': 'replies-1' })
  t.equal(receiver.asked[0]?.headers['x-api-key'], 'c4n4ry key')
  t.notOk([...service.output, ...service.errors].join('\n').includes('c4n4ry key'))

  // Not sampled: nothing is sent of it, and CometChat is told so.
  const before = emulator.requests.length
  const count = receiver.spans().length
  const headers = { 'x-request-id': 'not-sampled', traceparent: TRACEPARENT.replace(/01$/, '00') }
  t.equal((await postReply(service, { parentId, token, headers })).status, 201)
  t.equal((await service.lineWhere(({ requestId }) => requestId === 'not-sampled'))['trace_id'], CALLER.traceId)
  for (const { headers } of emulator.requests.slice(before)) {
    t.match(headers['traceparent'], new RegExp(`^00-${CALLER.traceId}-(?!${CALLER.spanId})[0-9a-f]{16}-00$`))
  }
  t.equal(await service.stop(), 0)
  t.equal(receiver.spans().length, count)
})

t.test('what waits at the end is sent, also by SIGTERM right behind the reply', async t => {
  const { receiver, service } = await start(t)
  t.equal((await postReply(service, { parentId, token })).status, 201)
  t.equal(await service.stop('SIGTERM'), 0)
  t.ok(receiver.spans().some(({ kind }) => kind === SERVER))
})

t.test('a receiver that hangs holds up no reply, and the end for 2 s', async t => {
  const { receiver, service } = await start(t)
  receiver.answer(() => undefined)
  const replies = await Promise.all([1, 2, 3].map(async () => postReply(service, { parentId, token })))
  t.same(
    replies.map(({ status }) => status),
    [201, 201, 201]
  )
  const beganAtMs = performance.now()
  t.equal(await service.stop('SIGTERM'), 0)
  const tookMs = performance.now() - beganAtMs
  t.ok(tookMs >= 1900 && tookMs < 6000, `${tookMs} ms`)
  t.ok(receiver.asked.length > 0)
})

t.test('a receiver that fails, or is away, is one warning, and no reply notices', async t => {
  const failing = await start(t, { OTEL_EXPORTER_OTLP_TIMEOUT: '300' })
  failing.receiver.answerWith({ message: 'c4n4ry' }, 400)
  const nowhere = `http://127.0.0.1:${await freePort()}`
  const away = await start(t, { OTEL_EXPORTER_OTLP_ENDPOINT: nowhere, OTEL_EXPORTER_OTLP_TIMEOUT: '300' })
  const warningsOf = ({ service }: typeof away) =>
    service.logLines().filter(({ msg }) => String(msg).startsWith('spans could not be sent'))
  const reply = async ({ service }: typeof away) => t.equal((await postReply(service, { parentId, token })).status, 201)

  for (let round = 0; round < 3; round++) {
    const before = failing.receiver.asked.length
    await reply(failing)
    await until(() => failing.receiver.asked.length > before)
  }
  await reply(away)
  await until(() => warningsOf(away).length > 0)
  // What waits at the end is tried again, in vain.
  await reply(away)
  for (const [one, reason] of [
    [failing, 'status-400'],
    [away, 'ECONNREFUSED']
  ] as const) {
    t.equal(await one.service.stop('SIGTERM'), 0)
    t.match(warningsOf(one), [{ level: 'warn', reason }])
    t.equal(warningsOf(one).length, 1)
    t.notOk(one.service.output.join('\n').includes('c4n4ry'), 'nothing of what it wrote')
  }
})

t.test('each worker sends its own', async t => {
  const { receiver, service } = await start(t, {
    WEB_CONCURRENCY: '2',
    STORE_URL: `file:${t.testdir()}/replies.db`,
    STORE_SECRET: 'a-store-secret-of-at-least-32-bytes',
    INSTANCE_NAME: 'here'
  })
  const seen = async (): Promise<Set<unknown>> => {
    for (let call = 0; call < 8; call++) await postReply(service, { parentId, token, headers: { connection: 'close' } })
    await receiver.spansWhere(({ kind }) => kind === SERVER)
    return new Set(receiver.spans().map(({ resource }) => resource['service.instance.id']))
  }
  let instances = await seen()
  for (let round = 0; round < 20 && instances.size < 2; round++) instances = await seen()
  t.same([...instances].sort(), ['here-1', 'here-2'])
})

t.test(
  'without an endpoint no module of OpenTelemetry is loaded, and the traceparent of a caller is forwarded',
  async t => {
    const loading = { NODE_OPTIONS: `--import=${LOADED}` }
    const plain = await startService(t, { ...env, ...loading, OTEL_TRACES_SAMPLER: 'always_on' })
    const before = emulator.requests.length
    const headers = { 'x-request-id': 'without-traces', traceparent: TRACEPARENT, tracestate: 'a=b', baggage: 'a=b' }
    t.equal((await postReply(plain, { parentId, token, headers })).status, 201)
    t.equal((await plain.lineWhere(({ requestId }) => requestId === 'without-traces'))['trace_id'], CALLER.traceId)
    const asked = emulator.requests.slice(before)
    t.equal(asked.at(-1)?.headers['traceparent'], TRACEPARENT)
    for (const { headers } of asked) t.notOk('tracestate' in headers || 'baggage' in headers)
    t.notMatch(plain.errors.join(''), /loaded @opentelemetry/)

    const { service } = await start(t, loading)
    t.match(service.errors.join(''), /loaded @opentelemetry\/sdk-trace/, 'with one it is')
  }
)
