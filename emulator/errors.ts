// CometChat's refusals, and the envelope they travel in.
import type { ErrorCode } from './error-codes.ts'
import type { JsonObject } from './types.ts'

export type Details = Readonly<Record<string, unknown>>

export interface Refusal {
  readonly devMessage?: string
  readonly details?: Details
}

/** A refusal by CometChat's rules. It never gets out of the emulator as an exception. */
export class ChatError extends Error {
  readonly code: ErrorCode
  readonly refusal: Refusal

  constructor(code: ErrorCode, message: string, refusal: Refusal = {}) {
    super(message)
    this.code = code
    this.refusal = refusal
  }
}

/** The one shape of every error body; member order is that of the recorded ones. */
export function envelope(code: string, message: string, { devMessage = message, details }: Refusal = {}): JsonObject {
  return { error: { message, devMessage, source: 'chat-api', ...(details && { details }), code } }
}

const INVALID = 'Failed to validate the data sent with the request.'

export const badRequest = (details?: Details): ChatError =>
  new ChatError('ERR_BAD_REQUEST', INVALID, details ? { details } : {})

export const uidNotFound = (uid: string): ChatError =>
  new ChatError(
    'ERR_UID_NOT_FOUND',
    `The UID ${uid} does not exist, please make sure you have created a user with UID ${uid}.`,
    { devMessage: `The UID ${uid} does not exist, so please make sure you have created a user with UID ${uid}.` }
  )

export const guidNotFound = (guid: string): ChatError =>
  new ChatError(
    'ERR_GUID_NOT_FOUND',
    `The group with GUID ${guid} does not exist. Please make sure you have created a group with GUID ${guid}.`
  )

export const messageNotFound = (id: string): ChatError =>
  new ChatError('ERR_MESSAGE_ID_NOT_FOUND', `The message with id ${id} does not exist.`)

export const noAccess = (uid: string, id: string): ChatError =>
  new ChatError('ERR_MESSAGE_NO_ACCESS', `The user with UID ${uid} does not have access to the message with id ${id}.`)

export const apiNotFound = (): ChatError => new ChatError('ERR_API_NOT_FOUND', 'The requested API does not exist.')

const VISIBLE_KEY_CHARACTERS = 5

/** A key as the error texts of 2026 show it: five characters at each end, or stars alone where it has no more than ten. */
export function maskKey(key: string): string {
  const hidden = key.length - 2 * VISIBLE_KEY_CHARACTERS
  if (hidden <= 0) return '*'.repeat(key.length)
  return key.slice(0, VISIBLE_KEY_CHARACTERS) + '*'.repeat(hidden) + key.slice(-VISIBLE_KEY_CHARACTERS)
}

/** `shown` is the key as the text repeats it, verbatim or masked (docs/cometchat-facts.md §14). */
export const keyNotFound = (shown: string): ChatError =>
  new ChatError('AUTH_ERR_APIKEY_NOT_FOUND', `The key ${shown} does not exist. Please use correct apiKey.`, {
    devMessage: `The ${shown} key doesn't work. Please use correct apiKey.`
  })

/** Repeats the key twice (docs/cometchat-facts.md §4.2). */
export const keyScopeTooSmall = (shown: string): ChatError =>
  new ChatError(
    'AUTH_ERR_NO_ACCESS',
    `The key ${shown} cannot be used to perform this operation. Please use API key with a correct scope to perform the operation.`,
    {
      devMessage: `The ${shown} key does not have enough clearance. To perform the operation, please use the API key with the correct scope.`
    }
  )

export const TOO_MANY = 'Too many requests. You have exceeded the rate limit. Please retry after the specified time.'
