import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Logger } from 'pino'
import { cutAnswer } from '../lib/tripwire/cut-answer.ts'
import type { Tripwire } from '../lib/tripwire/tripwire.ts'
import type { RequestTrace } from '../observability/events.ts'
import { FACTS, LogFields } from '../observability/log-fields.ts'
import { createRequestLoggers, HAS_LINE, writeRequestLine } from '../observability/request-log.ts'
import type { CrossOrigin } from './cross-origin.ts'
import type { Drain } from './drain.ts'
import { nothingHere } from './framework-errors.ts'
import { addBehindHost, holdAnswer, releaseAnswer } from './guard/host-ways.ts'
import { createHeadCheck } from './head/header-rules.ts'
import { createHeaderFilter } from './head/ignored-headers.ts'
import { parseTraceparent, shownRequestId, traceIdOf } from './head/request-ids.ts'
import { aheadOfBody, isBodyPending } from './late-bytes.ts'
import type { Connections } from './memory/connections.ts'

/** Where a request keeps its trace. */
export const TRACE: unique symbol = Symbol('thread-reply.trace')

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined where there are no traces. */
    [TRACE]: RequestTrace | undefined
  }
  interface FastifyContextConfig {
    /** What a route does, in a few words: it names the route where its address would be too much or may change. */
    readonly operation?: string
  }
}

export interface LifecycleOptions {
  readonly drain: Drain
  readonly log: Logger
  /** Undefined where the server is not ours to bound. */
  readonly connections?: Pick<Connections, 'check'> | undefined
  /** In lower case: headers of a gateway in front that nothing here gets to see. */
  readonly ignoredHeaders: readonly string[]
  /** Inside a host's app, whose hooks see their requests whole: ignored headers stay, and are not looked at. */
  readonly isHosted?: boolean
  /** Undefined where pages of other origins may not call. */
  readonly crossOrigin?: CrossOrigin | undefined
  /** Begins the trace of each request, where there are traces; `traceparent` is a valid one of the caller's. */
  readonly beginTrace?: (request: FastifyRequest, traceparent: string | undefined) => RequestTrace
  /** Told of each request with its line in the log: what is known of it does not change any more. */
  readonly onRequestLine?: (request: FastifyRequest) => void
  /** Told of every request before anything is looked at. */
  readonly onArrival?: (request: FastifyRequest) => void
  /** Told of every answer before it leaves. */
  readonly onAnswer?: (request: FastifyRequest, response: FastifyReply) => void
  /** The last look at what an answer holds. */
  readonly tripwire?: Tripwire
}

/**
 * The steps of every request before any other code sees it, and of every answer before it leaves. One hook for each, in
 * which the steps stand in order: a hook costs Fastify about as much as all the steps together.
 */
export const lifecycle = fp<LifecycleOptions>(
  async (
    app,
    {
      drain,
      log,
      connections,
      ignoredHeaders,
      isHosted = false,
      crossOrigin,
      beginTrace,
      onRequestLine,
      onArrival,
      onAnswer,
      tripwire
    }
  ) => {
    const dropIgnored = isHosted ? undefined : createHeaderFilter(ignoredHeaders)
    const checkHead = createHeadCheck(isHosted ? ignoredHeaders : [])
    const loggers = createRequestLoggers(log)
    app.decorateRequest(FACTS, null as unknown as LogFields)
    app.decorateRequest(HAS_LINE, false)
    app.decorateRequest(TRACE, undefined)

    app.addHook('onRequest', (request, response, done) => {
      const facts = new LogFields()
      request[FACTS] = facts
      facts.requestId = shownRequestId(request.id)
      const traceparent = parseTraceparent(request.headers['traceparent'])
      if (beginTrace) request[TRACE] = beginTrace(request, traceparent)
      facts.trace_id = request[TRACE]?.traceId ?? traceIdOf(traceparent)
      setStandardHeaders(response, facts.requestId)
      if (isHosted) holdAnswer(response)
      crossOrigin?.mark(request, response)
      dropIgnored?.(request.raw)
      onArrival?.(request)
      try {
        connections?.check(request.raw.socket)
        checkHead(request.raw)
      } catch (error) {
        // Of the latter: a proxy that reads this head differently may also see another end of this request.
        response.header('connection', 'close')
        throw error
      }
      drain.check()
      if (crossOrigin?.answerPreflight(request, response)) return
      // Not once its body is here: a body that is refused would hide that there is nothing.
      if (request.is404) throw nothingHere()
      done()
    })

    const finish: onSendHookHandler = (request, response, sent, done) => {
      if (isHosted) releaseAnswer(response)
      onAnswer?.(request, response)
      const payload = tripwire ? cutAnswer(response, sent, tripwire, 'answer') : sent
      if (writeRequestLine(loggers, request, response)) onRequestLine?.(request)
      // Here and not at the request: a reply that began before the drain ends its connection, too.
      if (drain.draining) response.header('connection', 'close')
      if (typeof payload !== 'string' || !isBodyPending(request.raw)) return done(null, payload)
      response.header('content-length', String(Buffer.byteLength(payload)))
      done(null, aheadOfBody(payload, request.raw, response.raw))
    }
    if (isHosted) addBehindHost(app, finish)
    else app.addHook('onSend', finish)
  },
  { name: 'lifecycle', fastify: '5.x' }
)

/** What every answer carries, refusals included. */
export function setStandardHeaders(response: FastifyReply, requestId: string): void {
  response
    .header('x-request-id', requestId)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
}
