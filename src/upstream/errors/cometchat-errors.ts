import type { ProblemCode } from '../../lib/refusals/problems.ts'

/** What an error code of CometChat is about. */
export type ErrorSubject = 'message' | 'thread' | 'user' | 'group' | 'feature' | 'app' | 'key' | 'limit' | 'cometchat'

/** What an error code of CometChat means for the call that met it. */
export type CometChatRefusal =
  | { readonly kind: 'our-key' }
  /** The app, its address or its subscription is refused: every call meets that until an operator acts. */
  | { readonly kind: 'app'; readonly errorCode: string }
  /** Not in the plan of the app, which a caller's choice of content can bring about. */
  | { readonly kind: 'feature'; readonly errorCode: string }
  | { readonly kind: 'rate-limited' }
  /** Also how CometChat answers for some 3 s about a message that was just created. */
  | { readonly kind: 'no-access' }
  | { readonly kind: 'unknown-user' }
  /** Also a user who was deactivated. */
  | { readonly kind: 'user-exists' }
  | { readonly kind: 'server-fault' }
  /** What was to be taken away is not there. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly code: ProblemCode; readonly shown?: string }

export interface ErrorRow {
  readonly about: ErrorSubject
  /** What a caller of a reply meets; docs/cometchat-facts.md has the same column. */
  readonly problem: ProblemCode
  /** Whether a caller sees the name: not where it would tell threads apart that they may not see. */
  readonly isShown: boolean
  readonly refusal: CometChatRefusal
}

const NOT_FOUND: Omit<ErrorRow, 'about'> = {
  problem: 'thread-not-found',
  isShown: false,
  refusal: { kind: 'refused', code: 'thread-not-found' }
}
const MISMATCH: ErrorRow = {
  about: 'thread',
  problem: 'thread-mismatch',
  isShown: false,
  refusal: { kind: 'refused', code: 'thread-mismatch' }
}
const SERVER_FAULT: ErrorRow = {
  about: 'cometchat',
  problem: 'upstream-error',
  isShown: false,
  refusal: { kind: 'server-fault' }
}
const OUR_KEY: ErrorRow = {
  about: 'key',
  problem: 'upstream-credentials',
  isShown: false,
  refusal: { kind: 'our-key' }
}
const RATE_LIMITED: ErrorRow = {
  about: 'limit',
  problem: 'rate-limited',
  isShown: false,
  refusal: { kind: 'rate-limited' }
}
const NAMES_OF_REFUSALS: Readonly<Partial<Record<ErrorSubject, readonly string[]>>> = {
  message: [
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
    'ERR_FILE_COUNT_EXCEEDED',
    'ERR_FILE_SIZE_EXCEEDED',
    'ERR_BLOCKED_BY_EXTENSION',
    'ERR_BLOCKED_BY_WEBHOOK',
    'ERR_MESSAGE_ACTION_NOT_ALLOWED',
    'ERR_MESSAGE_NOT_A_SENDER',
    'ERR_ACTION_NOT_ALLOWED'
  ],
  user: [
    'ERR_BLOCKED_RECEIVER',
    'ERR_BLOCKED_SENDER',
    'ERR_NOT_A_FRIEND',
    'ERR_ROLE_NOT_FOUND',
    'ERR_BOT_NOT_FOUND',
    'ERR_PERMISSION_DENIED'
  ],
  group: ['ERR_ALREADY_JOINED'],
  feature: ['ERR_EXTENSION_NOT_FOUND']
}

/**
 * Every documented code, and those that were recorded. Source: CometChat's error guide (docs/articles/error-guide); it
 * gives no status for any code, so none is read. docs/cometchat-facts.md §4.4 shows these rows.
 */
export const ERROR_ROWS: ReadonlyMap<string, ErrorRow> = new Map<string, ErrorRow>([
  ...rows('thread', ['ERR_MESSAGE_ID_NOT_FOUND', 'ERR_MSG_NOT_FOUND'], NOT_FOUND),
  ...rows('thread', ['ERR_CONVERSATION_NOT_FOUND', 'ERR_CONVERSATION_NOT_ACCESSIBLE'], NOT_FOUND),
  ['ERR_MESSAGE_NO_ACCESS', { ...NOT_FOUND, about: 'thread', refusal: { kind: 'no-access' } }],
  // Arrives as 401 and is about the user, not about our key.
  ...rows('group', ['ERR_GROUP_NOT_JOINED', 'ERR_NOT_A_MEMBER', 'ERR_BANNED_GROUPMEMBER'], NOT_FOUND),
  ...rows('group', ['ERR_GUID_NOT_FOUND', 'ERR_GROUP_NO_CLEARANCE', 'ERR_GROUP_NO_SCOPE_CLEARANCE'], NOT_FOUND),
  ['ERR_WRONG_MESSAGE_THREAD', MISMATCH],
  ['ERR_WRONG_MESSAGE_THREAD_CATEGORY', MISMATCH],
  ['ERR_MESSAGE_THREAD_NESTING', MISMATCH],
  ['ERR_UID_NOT_FOUND', { ...refused('user', 'ERR_UID_NOT_FOUND'), refusal: { kind: 'unknown-user' } }],
  // Of calls about users alone.
  ['ERR_UID_ALREADY_EXISTS', { ...refused('user', undefined), refusal: { kind: 'user-exists' } }],
  ...Object.entries(NAMES_OF_REFUSALS).flatMap(([about, names]) =>
    names.map((name): [string, ErrorRow] => [name, refused(about as ErrorSubject, name)])
  ),
  ...['ERR_PLAN_RESTRICTION', 'ERR_PLAN_QUOTA_RESTRICTION', 'ERR_FEATURE_NOT_ACCESSIBLE'].map(featureRow),
  ...['ERR_SUBSCRIPTION_EXPIRED', 'ERR_API_NOT_FOUND', 'ERR_INVALID_API_VERSION'].map(appRow),
  ...['AUTH_ERR_INVALID_APPID', 'AUTH_ERR_EMPTY_APPID'].map(appRow),
  ['ERR_APIKEY_NOT_FOUND', OUR_KEY],
  ['AUTH_ERR_APIKEY_NOT_FOUND', OUR_KEY],
  ['AUTH_ERR_EMPTY_APIKEY', OUR_KEY],
  ['AUTH_ERR_NO_ACCESS', OUR_KEY],
  ['AUTH_ERR_EMPTY_AUTH_HEADER', OUR_KEY],
  ['AUTH_ERR_EMPTY_AUTH_TOKEN', OUR_KEY],
  ['AUTH_ERR_AUTH_TOKEN_NOT_FOUND', OUR_KEY],
  ['ERR_TOO_MANY_REQUESTS', RATE_LIMITED],
  ['ERR_RATE_LIMIT_EXCEEDED', RATE_LIMITED],
  ['ERR_MISSION_FAILED', SERVER_FAULT],
  ['ERR_OPERATION_FAILED', SERVER_FAULT],
  ['ERR_EXCEPTION', SERVER_FAULT],
  ['ERR_INTERNAL_SERVER_ERROR', SERVER_FAULT],
  ['ERR_BAD_ERROR_RESPONSE', SERVER_FAULT]
])

/** A code this table does not know is a refusal all the same, but its name is not shown: it could hold anything. */
export function refusalOf(errorCode: string): CometChatRefusal {
  const row = ERROR_ROWS.get(errorCode)
  if (row) return row.refusal
  return errorCode.startsWith('AUTH_ERR_') ? OUR_KEY.refusal : { kind: 'refused', code: 'rejected-by-cometchat' }
}

/** The code when this table knows it, else `other`: fit for a log line. */
export function loggableCode(errorCode: string): string {
  if (ERROR_ROWS.has(errorCode)) return errorCode
  return errorCode.startsWith('AUTH_ERR_') ? 'AUTH_ERR' : 'other'
}

function rows(about: ErrorSubject, names: readonly string[], row: Omit<ErrorRow, 'about'>): [string, ErrorRow][] {
  return names.map(name => [name, { ...row, about }])
}

function refused(about: ErrorSubject, shown: string | undefined): ErrorRow {
  const refusal: CometChatRefusal = { kind: 'refused', code: 'rejected-by-cometchat', ...(shown && { shown }) }
  return { about, problem: 'rejected-by-cometchat', isShown: shown !== undefined, refusal }
}

function featureRow(errorCode: string): [string, ErrorRow] {
  const refusal: CometChatRefusal = { kind: 'feature', errorCode }
  return [errorCode, { about: 'feature', problem: 'rejected-by-cometchat', isShown: true, refusal }]
}

function appRow(errorCode: string): [string, ErrorRow] {
  const refusal: CometChatRefusal = { kind: 'app', errorCode }
  return [errorCode, { about: 'app', problem: 'upstream-misconfigured', isShown: false, refusal }]
}
