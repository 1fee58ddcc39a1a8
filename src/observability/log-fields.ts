import type { AppError } from '../errors.ts'
import type { DeliveryState, ProblemCode } from '../lib/refusals/problems.ts'

const MAX_SUBJECT_LENGTH = 128

/** Where a request keeps them: a symbol, because a name could be one that a host's app has for something else. */
export const FACTS: unique symbol = Symbol('thread-reply.facts')

/**
 * The fields of a request's line in the log: this list and nothing else, never a header, a body or a raw error. Every
 * object has all of it from the beginning, in this order; what stays undefined is not written.
 */
export class LogFields {
  readonly #sinceMs = performance.now()
  /** Until then it is known what the time went for. */
  #accountedUntilMs = Number.NEGATIVE_INFINITY
  #triedScheme: string | undefined
  requestId?: string
  /** What a tracing system finds the request by; the name is that of OpenTelemetry for lines of a log. */
  trace_id?: string | undefined
  method?: string
  route?: string
  status?: number
  durationMs?: number
  /** Until the caller was known, where something had to be verified or asked for; without it the caller was remembered. */
  authMs?: number
  /** Waiting for a turn at CometChat. */
  queueMs?: number
  /** Waiting for the store. */
  storeMs?: number
  code?: ProblemCode
  delivery?: DeliveryState
  /** Why it was refused: of a closed list, see src/lib/refusals/reasons.ts. */
  reason?: string
  scheme?: string
  issuer?: string
  subject?: string
  uid?: string
  actors?: readonly string[]
  parentId?: string
  messageId?: string
  replayed?: boolean
  /** Nothing was to be sent: the answer says what would become of the reply. */
  explained?: boolean
  reconciled?: 'found' | 'absent' | 'unclear'
  attempts?: number
  keyFingerprint?: string
  upstreamMs?: number
  upstreamStatus?: number
  upstreamCode?: string

  /** The time from the end of the request's headers until now, to a tenth of a millisecond; its parts become final. */
  noteDuration(): void {
    this.durationMs = Math.round((performance.now() - this.#sinceMs) * 10) / 10
    for (const part of PARTS) {
      // Downwards, or the parts could be more than the whole.
      const ms = this[part]
      if (ms !== undefined) this[part] = Math.floor(ms * 10) / 10
    }
  }

  /** How the caller wants to prove who they are, accepted or not; no field of the line. */
  get triedScheme(): string | undefined {
    return this.#triedScheme
  }

  noteCredential(scheme: string): void {
    this.#triedScheme = scheme
  }

  /** The caller is known, or refused, after something was verified or asked for; all of the time until now went there. */
  noteAuthentication(): void {
    this.authMs = performance.now() - this.#sinceMs
  }

  /**
   * What a time on the monotonic clock went for. Of two parts at the same time each moment counts for the one that ended
   * first, so that all of them are never more than the whole.
   */
  notePart(part: 'queueMs' | 'storeMs' | 'upstreamMs', beganAtMs: number, endedAtMs: number): void {
    const fromMs = Math.max(beganAtMs, this.#accountedUntilMs)
    this[part] = (this[part] ?? 0) + Math.max(0, endedAtMs - fromMs)
    this.#accountedUntilMs = Math.max(this.#accountedUntilMs, endedAtMs)
  }
}

const PARTS = ['authMs', 'queueMs', 'storeMs', 'upstreamMs'] as const

/** Those that say who asks for what. */
export type CallerFields = Pick<
  LogFields,
  'requestId' | 'scheme' | 'issuer' | 'subject' | 'uid' | 'actors' | 'parentId'
>

/** Those that say what came of a reply. */
export type DeliveryFields = Pick<
  LogFields,
  | 'delivery'
  | 'messageId'
  | 'replayed'
  | 'explained'
  | 'reconciled'
  | 'attempts'
  | 'keyFingerprint'
  | 'upstreamMs'
  | 'upstreamStatus'
  | 'upstreamCode'
>

/** The caller, and the user of CometChat who speaks for them. */
export function noteCaller(
  facts: LogFields,
  {
    scheme,
    issuer,
    subject,
    uid,
    actors
  }: Required<Pick<LogFields, 'scheme' | 'issuer' | 'subject' | 'uid' | 'actors'>>
): void {
  facts.scheme = scheme
  facts.issuer = issuer
  facts.subject = subject.slice(0, MAX_SUBJECT_LENGTH)
  facts.uid = uid
  if (actors.length > 0) facts.actors = actors
}

/** A request that ends with a problem. */
export function noteRefusal(fields: LogFields, { code, reason, delivery, options }: AppError): void {
  fields.code = code
  fields.delivery = delivery
  fields.reason = reason
  if (options.messageId !== undefined) fields.messageId = options.messageId
}

/** A reply that is posted, now or before. */
export function noteSent(fields: DeliveryFields, messageId: string): void {
  fields.delivery = 'sent'
  fields.messageId = messageId
}

/** A reply that is not sent but explained. */
export function noteExplained(fields: DeliveryFields): void {
  fields.explained = true
  fields.delivery = 'not-sent'
}

/** One exchange with CometChat, added to those before it. */
export function noteAttempt(
  facts: LogFields,
  {
    askedAtMs,
    begunAtMs,
    endedAtMs,
    keyFingerprint,
    status,
    code
  }: {
    readonly askedAtMs: number
    /** When its turn came; undefined where it was given up before. */
    readonly begunAtMs: number | undefined
    readonly endedAtMs: number
    readonly keyFingerprint?: string
    readonly status?: number
    readonly code?: string
  }
): void {
  facts.attempts = (facts.attempts ?? 0) + 1
  if (keyFingerprint !== undefined) facts.keyFingerprint = keyFingerprint
  const turnAtMs = begunAtMs ?? endedAtMs
  facts.notePart('queueMs', askedAtMs, turnAtMs)
  facts.notePart('upstreamMs', turnAtMs, endedAtMs)
  if (status !== undefined) facts.upstreamStatus = status
  if (code !== undefined) facts.upstreamCode = code
}
