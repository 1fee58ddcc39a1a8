import fastify, { type FastifyInstance } from 'fastify'
import type { Tripwire } from '../lib/tripwire/tripwire.ts'
import type { CrossOrigin } from './cross-origin.ts'
import { answerProblem } from './error-handler.ts'
import { requestIdOf } from './head/request-ids.ts'
import { dropRest } from './late-bytes.ts'
import { MAX_BODY_BYTES, parseJsonBodies } from './memory/read-body.ts'
import { answerClientError, trackLastResponse } from './parser-errors.ts'

export interface PublicServerOptions {
  /** Whether an address is that of a proxy in front, whose X-Forwarded headers count. */
  readonly isProxy: (address: string | undefined) => boolean
  /** The longest a reply may take, in milliseconds. */
  readonly deadlineMs: number
  /** How long a connection may be idle between two requests, in milliseconds. */
  readonly keepAliveTimeoutMs: number
  /** For the answers that meet no hook; undefined where pages of other origins may not call. */
  readonly crossOrigin?: CrossOrigin | undefined
  /** Told where bytes came from that are no request. */
  readonly onMalformed?: (address: string) => void
  /** The last look at a request id that a caller chose: it is in answers that meet no hook, too. */
  readonly tripwire?: Tripwire
}

const MAX_PARAM_LENGTH = 3 * 255
const MAX_HEADER_BYTES = 16 * 1024

/** A Fastify with the limits of a server that faces the Internet, and nothing on it yet. */
export function createPublicServer({
  isProxy,
  deadlineMs,
  keepAliveTimeoutMs,
  crossOrigin,
  onMalformed,
  tripwire
}: PublicServerOptions): FastifyInstance {
  const app: FastifyInstance = fastify({
    // Fastify's own lines may quote errors and addresses; this service writes its own.
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: 15_000,
    connectionTimeout: deadlineMs + 30_000,
    keepAliveTimeout: keepAliveTimeoutMs,
    http: {
      headersTimeout: 10_000,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: MAX_HEADER_BYTES,
      // Node's own answer to a missing host is bare; src/http/head/header-rules.ts refuses it with a problem.
      requireHostHeader: false
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    trustProxy: isProxy,
    requestIdHeader: false,
    genReqId(request) {
      const id = requestIdOf(request.headers['x-request-id'])
      return tripwire?.cut(id, 'answer') ?? id
    },
    exposeHeadRoutes: false,
    // Of a key of 255 characters each may take three.
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    clientErrorHandler(error, socket) {
      if (error.code?.startsWith('HPE_') && socket.remoteAddress !== undefined) onMalformed?.(socket.remoteAddress)
      answerClientError(error, socket)
    },
    frameworkErrors: (error, request, response) => {
      // These meet no hook of ours.
      crossOrigin?.mark(request, response)
      void dropRest(request.raw).then(hasEnded => hasEnded || request.raw.socket.destroySoon())
      void answerProblem(error, request, response)
    }
  })
  // Else Node ends a connection whose client has said all it has to say, and the answer with it (RFC 9112 §9.6).
  Object.assign(app.server, { httpAllowHalfOpen: true })
  app.server.prependListener('request', (request, response) => {
    trackLastResponse(request, response)
    // Node drops what a client sends right behind a request with an Upgrade header, and would read on after the gap.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false
  })
  // Node would answer an unknown expectation by itself, without a problem; the header rules refuse it.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  parseJsonBodies(app)
  return app
}
