import { type buildConnector, Pool } from 'undici'
import { createLedger } from '../../lib/service/ledger.ts'
import { AnswerBytes, ROOM_FOR_LARGE_ANSWERS_BYTES } from './answer-bytes.ts'
import { ExchangeHandler } from './exchange.ts'
import type { ExchangeLimits, ExchangeObserver, ExchangeResult, UpstreamRequest } from './exchange-types.ts'

export interface Connections {
  exchange(request: UpstreamRequest, limits: ExchangeLimits): Promise<ExchangeResult>
  /** Destroys every connection: used when one of them answered somebody else's request. */
  reset(): void
  close(): Promise<void>
}

/** Those that an observer decides about: how many exchanges are under way at once is up to it. */
export interface ObservedConnections extends Pick<Connections, 'reset' | 'close'> {
  /** Sends one request and resolves with its outcome; it never rejects. */
  exchange(request: UpstreamRequest, limits: ExchangeLimits, observer: ExchangeObserver): Promise<ExchangeResult>
}

export interface ConnectionOptions {
  /** CometChat's origin, computed once at start-up. */
  readonly origin: string
  readonly connectTimeoutMs?: number
  /** How connections are made where there is a proxy. */
  readonly connect?: buildConnector.connector | undefined
}

export const MAX_CONNECTIONS = 128
/** A backstop: each request has a bound of its own. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** The connections to one origin; no redirects, no retries, no HTTP/2, and no way to relax TLS. */
export function createConnections({
  origin,
  connectTimeoutMs = 2000,
  connect
}: ConnectionOptions): ObservedConnections {
  const open = () =>
    new Pool(origin, {
      connections: MAX_CONNECTIONS,
      pipelining: 1,
      // undici re-sends a POST by itself after an HTTP/2 REFUSED_STREAM.
      allowH2: false,
      connectTimeout: connectTimeoutMs,
      // Node's own default can be lowered by NODE_OPTIONS.
      connect: connect ?? { minVersion: 'TLSv1.2' },
      // Backstops behind the absolute deadline of each exchange; undici's timers are coarse.
      headersTimeout: 125_000,
      bodyTimeout: 125_000,
      maxResponseSize: MAX_ANSWER_BYTES,
      // Short, so that a DNS change and a half-dead connection age out.
      keepAliveTimeout: 4000,
      keepAliveMaxTimeout: 30_000
    })
  const room = createLedger(ROOM_FOR_LARGE_ANSWERS_BYTES)
  let pool = open()

  return {
    exchange(request, limits, observer) {
      const { method, path, headers, body = null } = request
      return new Promise(resolve => {
        const handler = new ExchangeHandler(resolve, limits, observer, new AnswerBytes(request, room))
        try {
          pool.dispatch({ origin, method, path, headers: headers as string[], body }, handler)
        } catch (error) {
          handler.onResponseError(undefined, error)
        }
      })
    },
    reset() {
      const poisoned = pool
      pool = open()
      void poisoned.destroy(new Error('poisoned')).catch(() => undefined)
    },
    close: () => pool.destroy()
  }
}
