/** What is known about the reply when an answer leaves: it exists, it does not, or this service cannot tell yet. */
export type DeliveryState = 'sent' | 'not-sent' | 'unknown'

/** `with-key`: sending the same request again is safe only under the same Idempotency-Key. */
type Retryable = 'no' | 'yes' | 'with-key'

/** Who can do something about a problem: the user of an app, its developer, or the operator of this service. */
export type Whose = 'user' | 'developer' | 'operator'

interface Advice {
  /** Of an `invalid-request` it depends on what is wrong. */
  readonly whose: Whose
  /** What a screen offers the user of an app: the text to edit, the same once more, to wait, a sign-in, or nothing. */
  readonly offer: 'edit' | 'retry' | 'wait' | 'sign-in' | 'nothing'
  /** A suggestion for what that user is told; in no answer, as an app speaks the language of its users. */
  readonly sentence: string
}

interface ProblemType extends Advice {
  readonly status: number
  readonly delivery: DeliveryState
  readonly retryable: Retryable
  readonly title: string
}

const AWAY = 'Chat is not available at the moment. Please try again later.'
const OF_DEVELOPER = advice('developer', 'nothing', 'Something is wrong with this app. Please try again later.')
const OF_OPERATOR = advice('operator', 'nothing', AWAY)
const LATER = advice('operator', 'retry', AWAY)
const RECOVERING = advice('operator', 'wait', AWAY)
const DOUBT = advice('operator', 'wait', 'It is not clear yet whether this was sent. Please wait.')

/**
 * Every refusal a caller can meet, and the whole of it: docs/problems.md shows this table, and a code that is not
 * here cannot be thrown.
 */
export const PROBLEMS = {
  'malformed-request': problem(400, 'not-sent', 'no', 'The request cannot be read', OF_DEVELOPER),
  'reserved-name': problem(
    400,
    'not-sent',
    'no',
    'The request names something only this service may set',
    OF_DEVELOPER
  ),
  'ambiguous-credentials': problem(
    400,
    'not-sent',
    'no',
    'The request carries more than one credential',
    advice('developer', 'sign-in', 'Please sign in again.')
  ),
  'idempotency-key-invalid': problem(400, 'not-sent', 'no', 'The Idempotency-Key is not valid', OF_DEVELOPER),
  'idempotency-key-required': problem(400, 'not-sent', 'no', 'An Idempotency-Key is required', OF_DEVELOPER),
  unauthenticated: problem(401, 'not-sent', 'no', 'Sign in first', advice('user', 'sign-in', 'Please sign in again.')),
  forbidden: problem(
    403,
    'not-sent',
    'no',
    'The credential does not allow this',
    advice('operator', 'nothing', 'You are not allowed to do this.')
  ),
  csrf: problem(403, 'not-sent', 'no', 'The call does not prove where it comes from', OF_DEVELOPER),
  'identity-unmappable': problem(
    403,
    'not-sent',
    'no',
    'The user has no valid CometChat UID',
    advice('operator', 'nothing', 'Your account cannot be used for chat yet.')
  ),
  'not-yours': problem(
    403,
    'not-sent',
    'no',
    "The reply is somebody else's",
    advice('user', 'nothing', 'Only the author of a reply can change it.')
  ),
  'not-found': problem(404, 'not-sent', 'no', 'There is nothing at this address', OF_DEVELOPER),
  'thread-not-found': problem(
    404,
    'not-sent',
    'no',
    'No such thread for this user',
    advice('user', 'nothing', 'This conversation is not open to you.')
  ),
  'method-not-allowed': problem(405, 'not-sent', 'no', 'The method is not allowed here', OF_DEVELOPER),
  'request-timeout': problem(
    408,
    'not-sent',
    'yes',
    'The request took too long to arrive',
    advice('user', 'retry', 'The connection is slow. Please try again.')
  ),
  'thread-mismatch': problem(409, 'not-sent', 'no', 'The reply does not belong to this thread', OF_DEVELOPER),
  'idempotency-in-flight': problem(409, 'unknown', 'yes', 'The same key is being processed', DOUBT),
  'payload-too-large': problem(
    413,
    'not-sent',
    'no',
    'The body is too large',
    advice('user', 'edit', 'This reply is too long.')
  ),
  'unsupported-media-type': problem(415, 'not-sent', 'no', 'Send application/json', OF_DEVELOPER),
  'invalid-request': problem(
    422,
    'not-sent',
    'no',
    'The request is not valid',
    advice('developer', 'edit', 'This reply cannot be sent as it is.')
  ),
  'idempotency-key-reused': problem(
    422,
    'not-sent',
    'no',
    'The Idempotency-Key belongs to another request',
    OF_DEVELOPER
  ),
  'rejected-by-cometchat': problem(
    422,
    'not-sent',
    'no',
    'CometChat refused the reply',
    advice('user', 'edit', 'This reply was not accepted.')
  ),
  'rate-limited': problem(
    429,
    'not-sent',
    'yes',
    'Too many requests',
    advice('user', 'wait', 'That was too much at once. Please wait a moment.')
  ),
  'headers-too-large': problem(431, 'not-sent', 'no', 'The request headers are too large', OF_DEVELOPER),
  'client-closed': problem(
    499,
    'not-sent',
    'yes',
    'The client went away before anything was sent',
    advice('user', 'retry', 'The connection was lost. Please try again.')
  ),
  internal: problem(500, 'not-sent', 'no', 'Something broke in this service', OF_OPERATOR),
  'upstream-credentials': problem(502, 'not-sent', 'no', 'CometChat refused the key of this service', OF_OPERATOR),
  'upstream-misconfigured': problem(502, 'not-sent', 'no', 'CometChat refuses the app of this service', OF_OPERATOR),
  'upstream-reset': problem(502, 'unknown', 'with-key', 'The connection to CometChat was lost after sending', DOUBT),
  'upstream-error': problem(502, 'unknown', 'with-key', 'CometChat failed', DOUBT),
  'upstream-invalid': problem(502, 'unknown', 'with-key', 'CometChat gave an answer that cannot be read', DOUBT),
  'upstream-mismatch': problem(502, 'unknown', 'with-key', 'CometChat answered another request', DOUBT),
  'upstream-contract': problem(
    502,
    'sent',
    'no',
    'The reply was sent; CometChat described it wrongly',
    advice('operator', 'nothing', 'Your reply was sent.')
  ),
  'upstream-unreachable': problem(503, 'not-sent', 'yes', 'CometChat cannot be reached', LATER),
  overloaded: problem(503, 'not-sent', 'yes', 'Too much to do at the moment', LATER),
  draining: problem(503, 'not-sent', 'yes', 'This instance is shutting down', LATER),
  'store-unavailable': problem(503, 'not-sent', 'yes', 'The store cannot be reached', LATER),
  'store-recovering': problem(503, 'unknown', 'yes', 'The store may have lost records', RECOVERING),
  'identity-provider-unavailable': problem(503, 'not-sent', 'yes', 'The identity provider cannot be reached', LATER),
  'deadline-exceeded': problem(504, 'not-sent', 'yes', 'There was not enough time', LATER)
} as const satisfies Record<string, ProblemType>

export type ProblemCode = keyof typeof PROBLEMS

function problem(
  status: number,
  delivery: DeliveryState,
  retryable: Retryable,
  title: string,
  whatToDo: Advice
): ProblemType {
  return { status, delivery, retryable, title, ...whatToDo }
}

function advice(whose: Whose, offer: Advice['offer'], sentence: string): Advice {
  return { whose, offer, sentence }
}
