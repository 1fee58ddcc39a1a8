import cors from '@fastify/cors'
import fp from 'fastify-plugin'

const PREFLIGHT_KEPT_SECONDS = 7200
const REQUEST_HEADERS = [
  'authorization',
  'content-type',
  'idempotency-key',
  'prefer',
  'traceparent',
  'x-csrf',
  'x-request-id'
]
const ANSWER_HEADERS = [
  'idempotent-replayed',
  'preference-applied',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'x-request-id'
]

/**
 * Lets pages of the listed origins call the routes of a scope and read the answers, refusals included. Every other
 * origin gets no header at all, so its browser neither sends a call that needs permission nor shows the answer.
 */
export const crossOrigin = fp<{ origins: ReadonlySet<string> }>(
  async (app, { origins }) => {
    const options = {
      // A function, because the plugin would give an unlisted origin the other headers of a list.
      origin: (origin: string | undefined, decide: (error: Error | null, allowed: string | boolean) => void) =>
        decide(null, origin !== undefined && origins.has(origin) && origin),
      credentials: true,
      methods: ['POST'],
      allowedHeaders: REQUEST_HEADERS,
      exposedHeaders: ANSWER_HEADERS,
      maxAge: PREFLIGHT_KEPT_SECONDS,
      // Without it the plugin answers some requests by itself, in plain text.
      strictPreflight: false
    }
    await app.register(cors, {
      // Any other OPTIONS is no preflight (Fetch standard, CORS-preflight request), and is the routes' to answer.
      delegator: ({ headers }, decide) =>
        decide(null, { ...options, preflight: headers['access-control-request-method'] !== undefined })
    })
  },
  { name: 'cross-origin', fastify: '5.x' }
)
