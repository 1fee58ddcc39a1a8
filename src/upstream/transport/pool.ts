import { Pool } from 'undici'
import { type ExchangeLimits, type ExchangeResult, exchange, type UpstreamRequest } from './exchange.ts'

export interface Connections {
  exchange(request: UpstreamRequest, limits: ExchangeLimits): Promise<ExchangeResult>
  /** Destroys every connection: used when one of them answered somebody else's request. */
  reset(): void
  close(): Promise<void>
}

export interface ConnectionOptions {
  /** CometChat's origin, computed once at start-up. */
  readonly origin: string
  readonly connectTimeoutMs?: number
  /** Requests under way or waiting for a connection; one more is refused. */
  readonly maxInFlight?: number
}

const CONNECTIONS = 128
const QUEUE_FULL: ExchangeResult = { kind: 'failure', cause: 'overloaded', sent: false, errorCode: 'QUEUE_FULL' }
/** A backstop: each request has a bound of its own. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** The connections to one origin; no redirects, no retries, no HTTP/2, and no way to relax TLS. */
export function createConnections({
  origin,
  connectTimeoutMs = 2000,
  maxInFlight = 10_000
}: ConnectionOptions): Connections {
  const open = () =>
    new Pool(origin, {
      connections: CONNECTIONS,
      pipelining: 1,
      // undici re-sends a POST by itself after an HTTP/2 REFUSED_STREAM.
      allowH2: false,
      connectTimeout: connectTimeoutMs,
      // Node's own default can be lowered by NODE_OPTIONS.
      connect: { minVersion: 'TLSv1.2' },
      // Backstops behind the absolute deadline of each exchange; undici's timers are coarse.
      headersTimeout: 125_000,
      bodyTimeout: 125_000,
      maxResponseSize: MAX_ANSWER_BYTES,
      // Short, so that a DNS change and a half-dead connection age out.
      keepAliveTimeout: 4000,
      keepAliveMaxTimeout: 30_000
    })
  let pool = open()
  let inFlight = 0
  const onReleased = (): void => {
    inFlight--
  }

  return {
    exchange(request, limits) {
      if (inFlight >= maxInFlight) return Promise.resolve(QUEUE_FULL)
      inFlight++
      return exchange(pool, origin, request, limits, onReleased)
    },
    reset() {
      const poisoned = pool
      pool = open()
      void poisoned.destroy(new Error('poisoned')).catch(() => undefined)
    },
    close: () => pool.destroy()
  }
}
