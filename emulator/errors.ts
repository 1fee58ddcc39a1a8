// CometChat's refusals: the closed list of codes, their statuses, and the envelope they travel in.
import type { JsonObject } from './types.ts'

/** Statuses that are recorded somewhere, and guesses (docs/cometchat-facts.md §4.3) that `switches.statuses` can replace. */
const RECORDED = {
  AUTH_ERR_APIKEY_NOT_FOUND: 401,
  AUTH_ERR_NO_ACCESS: 403,
  ERR_BAD_REQUEST: 400,
  ERR_EMPTY_MESSAGE_TEXT: 400,
  ERR_GROUP_NOT_JOINED: 401,
  ERR_GUID_NOT_FOUND: 404,
  ERR_MESSAGE_ID_NOT_FOUND: 404,
  ERR_MESSAGE_NO_ACCESS: 403,
  ERR_TOO_MANY_REQUESTS: 429,
  ERR_UID_ALREADY_EXISTS: 400,
  ERR_UID_NOT_FOUND: 404
} as const

const GUESSED = {
  AUTH_ERR_EMPTY_APIKEY: 401,
  ERR_API_NOT_FOUND: 404,
  ERR_BANNED_GROUPMEMBER: 403,
  ERR_BLOCKED_BY_EXTENSION: 400,
  ERR_BLOCKED_BY_WEBHOOK: 400,
  ERR_BLOCKED_RECEIVER: 403,
  ERR_BLOCKED_SENDER: 403,
  ERR_EMPTY_CUSTOM_DATA: 400,
  ERR_EMPTY_MESSAGE_CATEGORY: 400,
  ERR_EMPTY_MESSAGE_FILE: 400,
  ERR_EMPTY_MESSAGE_TYPE: 400,
  ERR_EMPTY_RECEIVER: 400,
  ERR_INVALID_CUSTOM_DATA: 400,
  ERR_INVALID_MEDIA_MESSAGE: 400,
  ERR_INVALID_MESSAGE_CATEGORY: 400,
  ERR_INVALID_MESSAGE_DATA: 400,
  ERR_INVALID_MESSAGE_TEXT: 400,
  ERR_INVALID_MESSAGE_TYPE: 400,
  ERR_INVALID_METADATA: 400,
  ERR_INVALID_RECEIVER_TYPE: 400,
  ERR_MESSAGE_THREAD_NESTING: 400,
  ERR_WRONG_MESSAGE_THREAD: 400,
  ERR_WRONG_MESSAGE_THREAD_CATEGORY: 400
} as const

const STATUSES = { ...RECORDED, ...GUESSED }
export type ErrorCode = keyof typeof STATUSES
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

export const statusOf = (code: ErrorCode, overrides: Readonly<Record<string, number>>): number =>
  overrides[code] ?? STATUSES[code]

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

/** Repeats the key, as the real text most likely does: a caller must never pass it on. */
export const keyNotFound = (key: string): ChatError =>
  new ChatError('AUTH_ERR_APIKEY_NOT_FOUND', `The key ${key} does not exist. Please use correct apiKey.`)

/** Repeats the key twice, verbatim as recorded (docs/cometchat-facts.md §4.2). */
export const keyScopeTooSmall = (key: string): ChatError =>
  new ChatError(
    'AUTH_ERR_NO_ACCESS',
    `The key ${key} cannot be used to perform this operation. Please use API key with a correct scope to perform the operation.`,
    {
      devMessage: `The ${key} key does not have enough clearance. To perform the operation, please use the API key with the correct scope.`
    }
  )

export const TOO_MANY = 'Too many requests. You have exceeded the rate limit. Please retry after the specified time.'
