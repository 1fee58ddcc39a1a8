import { PROBLEMS, type ProblemCode, type Violation } from '../errors.ts'
import type { Outcome } from './record.ts'

/** An outcome as a durable store keeps it. */
export function writeOutcome(outcome: Outcome): string {
  return JSON.stringify(outcome)
}

/**
 * Reads an outcome back. Throws when it is not what `writeOutcome` writes: a store is outside this process, and what
 * was damaged or put there by somebody else must not become an answer.
 */
export function readOutcome(text: unknown): Outcome {
  const stored = typeof text === 'string' ? parse(text) : undefined
  const outcome = isObject(stored) ? (readDone(stored) ?? readRefused(stored)) : undefined
  if (!outcome) throw new Error('the stored outcome is unreadable')
  return outcome
}

function readDone({ kind, messageId, body }: Stored): Outcome | undefined {
  if (kind !== 'done' || !isOptional(messageId, isMessageId)) return undefined
  if (body === undefined) return { kind, ...(messageId !== undefined && { messageId }) }
  if (messageId === undefined || typeof body !== 'string' || !isReplyOf(messageId, body)) return undefined
  return { kind, messageId, body }
}

function readRefused({ kind, code, detail, errors }: Stored): Outcome | undefined {
  if (kind !== 'refused' || !isRefusal(code) || typeof detail !== 'string') return undefined
  if (!isOptional(errors, isViolations)) return undefined
  return { kind, code, detail, ...(errors && { errors }) }
}

type Stored = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Stored {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isOptional<T>(value: unknown, is: (value: unknown) => value is T): value is T | undefined {
  return value === undefined || is(value)
}

function isMessageId(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}$/.test(value)
}

/** A body is JSON with a message, or with several when there were several receivers, and the first has this id. */
function isReplyOf(messageId: string, body: string): boolean {
  const envelope = parse(body)
  const data = isObject(envelope) ? envelope['data'] : undefined
  const message: unknown = Array.isArray(data) ? data[0] : data
  if (!isObject(message)) return false
  const { id } = message
  // Ids with more digits than a number holds are compared by nobody but CometChat.
  return typeof id === 'number' && !Number.isSafeInteger(id) ? true : String(id) === messageId
}

/** Only what the table says was not sent is ever kept as a refusal. */
function isRefusal(code: unknown): code is ProblemCode {
  return (
    typeof code === 'string' && Object.hasOwn(PROBLEMS, code) && PROBLEMS[code as ProblemCode].delivery === 'not-sent'
  )
}

function isViolations(value: unknown): value is readonly Violation[] {
  const isText = (text: unknown): boolean => typeof text === 'string'
  return (
    Array.isArray(value) &&
    value.every(item => isObject(item) && isText(item['pointer']) && isText(item['code']) && isText(item['detail']))
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
