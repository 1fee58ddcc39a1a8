import type { FastifyReply, FastifyRequest } from 'fastify'

const PREFLIGHT_KEPT_SECONDS = 7200
/** Those that a route answers; GET and POST need no listing, and stand here for people who read them. */
const METHODS = ['GET', 'POST', 'PATCH', 'DELETE']
const REQUEST_HEADERS = [
  'authorization',
  'content-type',
  'idempotency-key',
  'last-event-id',
  'prefer',
  'x-csrf',
  'x-request-id',
  'x-signed-in-as',
  // What tracing adds to every call of a page. Only the first one is read here.
  'traceparent',
  'tracestate',
  'baggage',
  'sentry-trace'
]
const ANSWER_HEADERS = [
  'allow',
  'idempotent-replayed',
  'preference-applied',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'www-authenticate',
  'x-request-id'
]

export interface CrossOriginOptions {
  /** As browsers write them. */
  readonly origins: ReadonlySet<string>
  /** Request headers of the app's own, in lower case. */
  readonly headers: readonly string[]
}

/** What browsers are told about pages of other origins (Fetch standard §3.2). */
export interface CrossOrigin {
  /** Before anything of the request is looked at: whatever the answer is, a page of a listed origin may read it. */
  mark(request: Pick<FastifyRequest, 'headers'>, response: FastifyReply): void
  /** Answers a preflight of a listed origin; false for every other request. */
  answerPreflight(request: Pick<FastifyRequest, 'headers' | 'method'>, response: FastifyReply): boolean
}

/**
 * Lets pages of the listed origins call and read the answers, refusals included. Every other origin gets no header but
 * `Vary`, so its browser neither sends a call that needs permission nor shows the answer.
 */
export function createCrossOrigin({ origins, headers }: CrossOriginOptions): CrossOrigin {
  const requestHeaders = [...new Set([...REQUEST_HEADERS, ...headers])].join(', ')
  const isListed = (origin: string | undefined): origin is string => origin !== undefined && origins.has(origin)

  return {
    mark({ headers: { origin } }, response) {
      response.header('vary', 'Origin')
      if (!isListed(origin)) return
      response
        .header('access-control-allow-origin', origin)
        .header('access-control-allow-credentials', 'true')
        .header('access-control-expose-headers', ANSWER_HEADERS.join(', '))
    },

    answerPreflight({ method, headers: { origin, 'access-control-request-method': wanted } }, response) {
      // Any other OPTIONS is no preflight, and is the routes' to answer.
      if (method !== 'OPTIONS' || wanted === undefined || !isListed(origin)) return false
      response
        .header('access-control-allow-methods', METHODS.join(', '))
        .header('access-control-allow-headers', requestHeaders)
        .header('access-control-max-age', String(PREFLIGHT_KEPT_SECONDS))
        .code(204)
        .send()
      return true
    }
  }
}
