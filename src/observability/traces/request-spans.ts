import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace
} from '@opentelemetry/api'
import type { AttemptTrace, EndedRequest, RequestTrace, StepEvent, StoreKind } from '../events.ts'

type AttemptEvent = Extract<StepEvent, { readonly name: 'upstream-attempt' }>
type TransitionEvent = Extract<StepEvent, { readonly name: 'store-transition' }>
type FetchEvent = Extract<StepEvent, { readonly name: 'key-fetch' }>

export interface SpansOptions {
  readonly tracer: Tracer
  /** Whether the caller's context is the parent, or only linked to. */
  readonly trust: 'link' | 'parent'
  /** CometChat's origin. */
  readonly upstream: URL
  readonly monotonic: () => number
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'])
const DATABASES: Readonly<Partial<Record<StoreKind, string>>> = {
  file: 'sqlite',
  redis: 'redis',
  postgres: 'postgresql'
}
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

/** The spans of requests: names and attributes of OpenTelemetry's conventions for HTTP, and no id of a person or a thread. */
export class RequestSpans {
  readonly #options: SpansOptions
  readonly #upstream: Attributes

  constructor(options: SpansOptions) {
    this.#options = options
    const { hostname, port, protocol } = options.upstream
    this.#upstream = {
      'server.address': hostname.replace(/^\[|\]$/g, ''),
      'server.port': port === '' ? (DEFAULT_PORTS[protocol] ?? 443) : Number(port)
    }
  }

  /** Begins the span of a request; `traceparent` is a valid one of the caller's. */
  begin(method: string, route: string | undefined, traceparent: string | undefined): RequestTrace {
    const { tracer, trust } = this.#options
    const caller = traceparent === undefined ? undefined : contextOf(traceparent)
    const isParent = caller !== undefined && trust === 'parent'
    const context = isParent ? trace.setSpanContext(ROOT_CONTEXT, caller) : ROOT_CONTEXT
    const links = caller && !isParent ? [{ context: caller }] : []
    const name = METHODS.has(method) ? method : 'HTTP'
    const span = tracer.startSpan(
      route === undefined ? name : `${name} ${route}`,
      { kind: SpanKind.SERVER, links },
      context
    )
    return span.isRecording() ? new RecordedRequest(this.#options, this.#upstream, span) : new UnsampledRequest(span)
  }

  /** A fetch of keys belongs to no request: several may wait for it, or none. */
  noteFetch({ issuer, durationMs, result }: FetchEvent): void {
    const { tracer, monotonic } = this.#options
    const nowMs = monotonic()
    const isFailed = result !== 'ok'
    const attributes = { 'jwks.issuer': issuer, ...(isFailed && { 'error.type': result }) }
    const startTime = nowMs - durationMs
    const span = tracer.startSpan('fetch keys', { kind: SpanKind.CLIENT, attributes, startTime }, ROOT_CONTEXT)
    if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end(nowMs)
  }
}

/** Not sampled: CometChat is told so, and nothing else is done. */
class UnsampledRequest implements RequestTrace {
  readonly traceId: string
  readonly #attempt: AttemptTrace

  constructor(span: Span) {
    this.traceId = span.spanContext().traceId
    this.#attempt = { traceparent: traceparentOf(span), end: () => undefined }
  }

  beginAttempt(): AttemptTrace {
    return this.#attempt
  }

  noteTransition(): void {}

  end(): void {}
}

class RecordedRequest implements RequestTrace {
  readonly traceId: string
  readonly #options: SpansOptions
  readonly #upstream: Attributes
  readonly #span: Span
  readonly #context: Context

  constructor(options: SpansOptions, upstream: Attributes, span: Span) {
    this.traceId = span.spanContext().traceId
    this.#options = options
    this.#upstream = upstream
    this.#span = span
    this.#context = trace.setSpan(ROOT_CONTEXT, span)
  }

  beginAttempt(call: AttemptEvent['call'], resends: number): AttemptTrace {
    const [method = '', path = ''] = call.split(' ')
    const attributes = {
      ...this.#upstream,
      'http.request.method': method,
      'url.template': `/v3${path}`,
      ...(resends > 0 && { 'http.request.resend_count': resends })
    }
    const { tracer, monotonic } = this.#options
    const options = { kind: SpanKind.CLIENT, attributes, startTime: monotonic() }
    const span = tracer.startSpan(call, options, this.#context)
    return { traceparent: traceparentOf(span), end: (event, endedAtMs) => endAttempt(span, event, endedAtMs) }
  }

  noteTransition({ store, transition, durationMs, isFailed }: TransitionEvent, endedAtMs: number): void {
    const system = DATABASES[store]
    const attributes = {
      'db.operation.name': transition,
      ...(system !== undefined && { 'db.system.name': system }),
      ...(isFailed && { 'error.type': 'store-unavailable' })
    }
    const kind = store === 'redis' || store === 'postgres' ? SpanKind.CLIENT : SpanKind.INTERNAL
    const startTime = endedAtMs - durationMs
    const span = this.#options.tracer.startSpan(`store ${transition}`, { kind, attributes, startTime }, this.#context)
    if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end(endedAtMs)
  }

  end({ method = '', route, status = 0, code, reason, delivery, replayed, attempts }: EndedRequest): void {
    const isFailed = status >= 500
    this.#span.setAttributes({
      'http.request.method': METHODS.has(method) ? method : '_OTHER',
      'http.response.status_code': status,
      'url.scheme': 'http',
      ...(route !== undefined && route !== 'none' && { 'http.route': route }),
      ...(isFailed && { 'error.type': code ?? String(status) }),
      ...(code !== undefined && { 'reply.code': code }),
      ...(reason !== undefined && { 'reply.reason': reason }),
      ...(delivery !== undefined && { 'reply.delivery': delivery }),
      ...(replayed && { 'reply.replayed': true }),
      ...(attempts !== undefined && { 'reply.attempts': attempts })
    })
    if (isFailed) this.#span.setStatus({ code: SpanStatusCode.ERROR })
    this.#span.end()
  }
}

function endAttempt(span: Span, { queueMs, status, cause }: AttemptEvent, endedAtMs: number): void {
  const errorType = cause ?? (status !== undefined && status >= 400 ? String(status) : undefined)
  span.setAttributes({
    'reply.queue_ms': Math.round(queueMs),
    ...(status !== undefined && { 'http.response.status_code': status }),
    ...(errorType !== undefined && { 'error.type': errorType })
  })
  if (errorType !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(endedAtMs)
}

/** Of a valid `traceparent`. */
function contextOf(traceparent: string): SpanContext {
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-')
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
}

/** W3C Trace Context §3.2, version 00. */
function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}
