import { performance } from 'node:perf_hooks'
import type { Dispatcher } from 'undici'
import type { LimitPolicy } from '../../errors.ts'
import type { Ledger } from '../../lib/service/ledger.ts'
import type { UpstreamCall } from '../../observability/events.ts'
import type { CometChatRefusal } from '../errors/cometchat-errors.ts'

/** One HTTP/1.1 request, complete: nothing is added to it on the way. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** Name, value, name, value…: spelled as CometChat documents them, from nothing. */
  readonly headers: readonly string[]
  readonly body?: string
  /** More than this is not read; the answer to one message fits into the default. */
  readonly maxAnswerBytes?: number
  /** The user whose request it serves, also where CometChat is not told: it comes out of their share of the app. */
  readonly chargedTo?: string
  /** A read for the same user that shows whether CometChat answers at all; where this is no read itself. */
  readonly probe?: () => UpstreamRequest
}

/** A request that says which call it is. */
export interface CallRequest extends UpstreamRequest {
  readonly call: UpstreamCall
  readonly chargedTo: string
  /** What a refusal means to this call, where that is not what it means to every other. */
  readonly refusalOf?: (errorCode: string, status: number) => CometChatRefusal | undefined
}

export interface UpstreamAnswer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** Why there is no answer; `untrusted` is a TLS failure, which no second attempt can mend. */
export type FailureCause =
  | 'unreachable'
  | 'untrusted'
  | 'overloaded'
  | 'deadline'
  | 'reset'
  | 'unreadable'
  | 'client-closed'

/** The limits of this service on what it asks of CometChat. */
export type UpstreamPolicy = Extract<LimitPolicy, `upstream-${string}`>

export interface UpstreamFailure {
  readonly kind: 'failure'
  readonly cause: FailureCause
  /**
   * Whether a byte of the request may have left this process.
   * Error codes cannot tell (ECONNRESET means both); undici calls onRequestStart in the same turn in which it
   * writes, so this is exact: false proves that nothing was written.
   */
  readonly sent: boolean
  /** undici's or Node's code: a closed vocabulary, fit for a log line. */
  readonly errorCode: string
  /** Set where a limit of this service kept it from being written. */
  readonly limit?: { readonly policy: UpstreamPolicy; readonly retryAfterMs: number }
  /** How the body of an answer began that is too large to be read. */
  readonly beginning?: Buffer
}

export type ExchangeResult = UpstreamAnswer | UpstreamFailure

export interface ExchangeLimits {
  /** Ends the exchange so many milliseconds from now, whatever state it is in. */
  readonly timeoutMs: number
  /** Asked in the turn in which the first byte would be written; false keeps it from being written. */
  readonly shouldSend?: (() => boolean) | undefined
  /** Told on the monotonic clock when its turn comes; never where it is refused before. What follows is CometChat's time. */
  readonly onTurn?: ((atMs: number) => void) | undefined
}

/** Who is told how exchanges go; one for all of them. */
export interface ExchangeObserver {
  /** How much of its time must be left in the turn in which the first byte would be written, in milliseconds. */
  reserveMs(): number
  /** Once for each exchange; the time counts from its first byte, or from its begin where none was written. */
  onOutcome(outcome: ExchangeResult, tookMs: number): void
  /**
   * Once for each, when undici holds nothing of the request any more: later than the outcome, where a deadline ends a
   * request that still waits for a connection.
   */
  onReleased(): void
}

/** A message of 65,536 characters takes 768 KiB where each is escaped as a pair; CometChat may tell it twice. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024
/** The code of an answer that is longer than its request allows. */
export const ANSWER_TOO_LARGE = 'ANSWER_TOO_LARGE'
/** Of one for which there is no room beside the others that are being read, or beside the others of this user. */
const NO_ROOM = 'NO_ROOM_FOR_ANSWER'
/** What CometChat answered, and this service did not want to read to its end: its fault is neither. */
export const isUnwanted = ({ errorCode }: UpstreamFailure): boolean =>
  errorCode === ANSWER_TOO_LARGE || errorCode === NO_ROOM
/** An answer that may be larger than usual counts from there on. */
const UNCOUNTED_BYTES = 256 * 1024
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

export interface ExchangeParts {
  readonly observer: ExchangeObserver
  /** For all answers that are larger than usual, in bytes. */
  readonly room: Ledger
}

/** How much of an answer has come, and whether more of it may be held. */
class AnswerBytes {
  readonly #request: UpstreamRequest
  readonly #room: Ledger
  #bytes = 0
  #booked = 0

  constructor(request: UpstreamRequest, room: Ledger) {
    this.#request = request
    this.#room = room
  }

  /** Why it is read no further; undefined where it is. */
  add(bytes: number): typeof ANSWER_TOO_LARGE | typeof NO_ROOM | undefined {
    const { maxAnswerBytes = MAX_ANSWER_BYTES } = this.#request
    this.#bytes += bytes
    if (this.#bytes > maxAnswerBytes) return ANSWER_TOO_LARGE
    // What became of a message is read in any case.
    if (maxAnswerBytes <= MAX_ANSWER_BYTES || this.#bytes <= UNCOUNTED_BYTES) return undefined
    const more = this.#bytes - UNCOUNTED_BYTES - this.#booked
    if (!this.#room.book(this.#request.chargedTo, more)) return NO_ROOM
    this.#booked += more
    return undefined
  }

  free(): void {
    if (this.#booked > 0) this.#room.free(this.#request.chargedTo, this.#booked)
    this.#booked = 0
  }
}

/** Sends one request and resolves with its outcome; it never rejects. */
export function exchange(
  dispatcher: Dispatcher,
  origin: string,
  request: UpstreamRequest,
  limits: ExchangeLimits,
  { observer, room }: ExchangeParts
): Promise<ExchangeResult> {
  return new Promise(resolve => {
    const { method, path, headers, body } = request
    const handler = new ExchangeHandler(resolve, limits, observer, new AnswerBytes(request, room))
    try {
      dispatcher.dispatch({ origin, method, path, headers: headers as string[], body: body ?? null }, handler)
    } catch (error) {
      handler.onResponseError(undefined, error)
    }
  })
}

class ExchangeHandler implements Dispatcher.DispatchHandler {
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
