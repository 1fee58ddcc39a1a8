import { performance } from 'node:perf_hooks'
import type { Dispatcher } from 'undici'
import { ANSWER_TOO_LARGE, type AnswerBytes } from './answer-bytes.ts'
import type {
  ExchangeLimits,
  ExchangeObserver,
  ExchangeResult,
  FailureCause,
  UpstreamAnswer,
  UpstreamFailure
} from './exchange-types.ts'

/** Written now, it would probably end without an answer: better certainly not sent than in doubt. */
const TOO_LATE: UpstreamFailure = {
  kind: 'failure',
  cause: 'overloaded',
  sent: false,
  errorCode: 'TOO_LATE',
  limit: { policy: 'upstream-time', retryAfterMs: 1000 }
}
const BEGINNING_BYTES = 256
const TLS_FAILURE = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/
const UNREADABLE = /^(UND_ERR_RES_|UND_ERR_HEADERS_OVERFLOW|HPE_)/
const TIMEOUT = /^UND_ERR_(HEADERS|BODY)_TIMEOUT$/

/** One exchange as undici tells of it; `resolve` is called once, with its outcome. */
export class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #resolve: (outcome: ExchangeResult) => void
  readonly #shouldSend: (() => boolean) | undefined
  readonly #observer: ExchangeObserver
  readonly #endsAtMs: number
  #beganAtMs = performance.now()
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #settled = false
  #status = 0
  #headers: UpstreamAnswer['headers'] = {}
  #chunks: Buffer[] = []
  readonly #bytes: AnswerBytes

  constructor(
    resolve: (outcome: ExchangeResult) => void,
    { timeoutMs, shouldSend }: ExchangeLimits,
    observer: ExchangeObserver,
    bytes: AnswerBytes
  ) {
    this.#resolve = resolve
    this.#observer = observer
    this.#bytes = bytes
    this.#shouldSend = shouldSend
    this.#endsAtMs = this.#beganAtMs + timeoutMs
    // What is in the socket by now is read first: a process that was held up finds its timers due before its answers.
    const whenRead = (): void => void setImmediate(() => this.#end('deadline', 'DEADLINE'))
    this.#timer = setTimeout(whenRead, Math.max(0, timeoutMs))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Throwing here, unlike abort(), keeps the request off the wire without losing a good connection.
    // The clock is asked, too: in a process that was stopped for a while no timer has fired yet.
    const nowMs = performance.now()
    const leftMs = this.#endsAtMs - nowMs
    if (leftMs <= 0) this.#fail('deadline', 'DEADLINE')
    else if (leftMs < this.#observer.reserveMs()) this.#settle(TOO_LATE)
    if (this.#settled) throw new Error('too little time is left')
    if (this.#shouldSend?.() === false) {
      this.#fail('client-closed', 'NOT_STARTED')
      throw new Error('nobody waits for this request')
    }
    this.#controller = controller
    this.#beganAtMs = nowMs
  }

  onResponseStart(_controller: unknown, status: number, headers: UpstreamAnswer['headers']): void {
    if (status < 200) return
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    if (this.#settled) return
    this.#chunks.push(chunk)
    const errorCode = this.#bytes.add(chunk.length)
    if (errorCode === undefined) return
    const isTooLarge = errorCode === ANSWER_TOO_LARGE
    this.#settle({
      kind: 'failure',
      cause: isTooLarge ? 'unreadable' : 'overloaded',
      sent: true,
      errorCode,
      ...(isTooLarge && { beginning: Buffer.concat(this.#chunks, BEGINNING_BYTES) })
    })
    this.#controller?.abort(new Error(errorCode))
  }

  onResponseEnd(): void {
    this.#observer.onReleased()
    const [first = Buffer.alloc(0)] = this.#chunks
    const body = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks)
    this.#settle({ kind: 'answer', status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_controller: unknown, error: unknown): void {
    this.#observer.onReleased()
    const code = errorCode(error)
    if (this.#controller === undefined) this.#fail(TLS_FAILURE.test(code) ? 'untrusted' : 'unreachable', code)
    else if (TIMEOUT.test(code)) this.#fail('deadline', code)
    else this.#fail(UNREADABLE.test(code) ? 'unreadable' : 'reset', code)
  }

  /** Gives up on an exchange that may be on the wire, and on its connection. */
  #end(cause: FailureCause, code: string): void {
    if (this.#settled) return
    this.#fail(cause, code)
    this.#controller?.abort(new Error(code))
  }

  #fail(cause: FailureCause, code: string): void {
    this.#settle({ kind: 'failure', cause, sent: this.#controller !== undefined, errorCode: code })
  }

  #settle(outcome: ExchangeResult): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#timer)
    this.#chunks = []
    this.#bytes.free()
    this.#observer.onOutcome(outcome, performance.now() - this.#beganAtMs)
    this.#resolve(outcome)
  }
}

/** The code of an undici or Node error; parser errors have none, and a TimeoutError's is a number. */
function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN'
  if (error.name === 'HTTPParserError') return 'HPE_INVALID'
  const code = 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : 'UNKNOWN'
}
