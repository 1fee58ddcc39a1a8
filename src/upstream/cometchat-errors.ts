import type { ProblemCode } from '../errors.ts'

/** What an error code of CometChat means for the call that met it. */
export type CometChatRefusal =
  | { readonly kind: 'our-key' }
  | { readonly kind: 'rate-limited' }
  /** Also how CometChat answers for some 3 s about a message that was just created. */
  | { readonly kind: 'no-access' }
  | { readonly kind: 'unknown-user' }
  /** Also a user who was deactivated. */
  | { readonly kind: 'user-exists' }
  | { readonly kind: 'server-fault' }
  | { readonly kind: 'refused'; readonly code: ProblemCode; readonly shown?: string }

const THREAD_NOT_FOUND: CometChatRefusal = { kind: 'refused', code: 'thread-not-found' }
const THREAD_MISMATCH: CometChatRefusal = { kind: 'refused', code: 'thread-mismatch' }
const SERVER_FAULT: CometChatRefusal = { kind: 'server-fault' }

/** Source: CometChat's error guide (docs/articles/error-guide); it gives no status for any code, so none is read. */
const REFUSALS: ReadonlyMap<string, CometChatRefusal> = new Map<string, CometChatRefusal>([
  ['ERR_TOO_MANY_REQUESTS', { kind: 'rate-limited' }],
  ['ERR_MESSAGE_NO_ACCESS', { kind: 'no-access' }],
  ['ERR_UID_NOT_FOUND', { kind: 'unknown-user' }],
  ['ERR_UID_ALREADY_EXISTS', { kind: 'user-exists' }],
  // Arrives as 401 and is about the user, not about our key.
  ['ERR_GROUP_NOT_JOINED', THREAD_NOT_FOUND],
  ['ERR_NOT_A_MEMBER', THREAD_NOT_FOUND],
  ['ERR_BANNED_GROUPMEMBER', THREAD_NOT_FOUND],
  ['ERR_GUID_NOT_FOUND', THREAD_NOT_FOUND],
  ['ERR_MESSAGE_ID_NOT_FOUND', THREAD_NOT_FOUND],
  ['ERR_MSG_NOT_FOUND', THREAD_NOT_FOUND],
  ['ERR_WRONG_MESSAGE_THREAD', THREAD_MISMATCH],
  ['ERR_WRONG_MESSAGE_THREAD_CATEGORY', THREAD_MISMATCH],
  ['ERR_MESSAGE_THREAD_NESTING', THREAD_MISMATCH],
  ['ERR_MISSION_FAILED', SERVER_FAULT],
  ['ERR_OPERATION_FAILED', SERVER_FAULT],
  ['ERR_EXCEPTION', SERVER_FAULT],
  ['ERR_BAD_ERROR_RESPONSE', SERVER_FAULT],
  ...[
    'ERR_BAD_REQUEST',
    'ERR_EMPTY_RECEIVER',
    'ERR_INVALID_RECEIVER_TYPE',
    'ERR_EMPTY_MESSAGE_TEXT',
    'ERR_INVALID_MESSAGE_TEXT',
    'ERR_EMPTY_MESSAGE_CATEGORY',
    'ERR_INVALID_MESSAGE_CATEGORY',
    'ERR_EMPTY_MESSAGE_TYPE',
    'ERR_INVALID_MESSAGE_TYPE',
    'ERR_INVALID_MESSAGE_DATA',
    'ERR_INVALID_METADATA',
    'ERR_INVALID_CUSTOM_DATA',
    'ERR_EMPTY_CUSTOM_DATA',
    'ERR_EMPTY_MESSAGE_FILE',
    'ERR_INVALID_MEDIA_MESSAGE',
    'ERR_BLOCKED_RECEIVER',
    'ERR_BLOCKED_SENDER',
    'ERR_BLOCKED_BY_EXTENSION',
    'ERR_BLOCKED_BY_WEBHOOK',
    'ERR_PLAN_RESTRICTION',
    'ERR_PLAN_QUOTA_RESTRICTION',
    'ERR_SUBSCRIPTION_EXPIRED',
    'ERR_PERMISSION_DENIED',
    'ERR_FEATURE_NOT_ACCESSIBLE',
    'ERR_API_NOT_FOUND',
    'ERR_INVALID_API_VERSION'
  ].map((shown): [string, CometChatRefusal] => [shown, { kind: 'refused', code: 'rejected-by-cometchat', shown }])
])

/** A code this table does not know is a refusal all the same, but its name is not shown: it could hold anything. */
export function refusalOf(errorCode: string): CometChatRefusal {
  if (errorCode.startsWith('AUTH_ERR_')) return { kind: 'our-key' }
  return REFUSALS.get(errorCode) ?? { kind: 'refused', code: 'rejected-by-cometchat' }
}

/** The code when this table knows it, else `other`: fit for a log line. */
export function loggableCode(errorCode: string): string {
  if (REFUSALS.has(errorCode)) return errorCode
  return errorCode.startsWith('AUTH_ERR_') ? 'AUTH_ERR' : 'other'
}
