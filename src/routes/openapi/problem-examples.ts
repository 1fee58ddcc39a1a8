import { AppError, type AppErrorOptions, type PlainCode } from '../../errors.ts'
import { toProblem } from '../../http/problem.ts'
import type { Problem } from '../../http/problem-schema.ts'
import type { ProblemCode } from '../../lib/refusals/problems.ts'
import { MAX_MESSAGE_CHARACTERS } from '../reply-rules.ts'

type Example = readonly [detail: string, options?: Omit<AppErrorOptions, 'reason' | 'challenge' | 'isRepeatable'>]

const REQUEST_ID = '7c9e6679-7425-40de-944b-e07fc1f90ae7'
const SOON = { retryAfterMs: 1000 } as const
const TOO_LONG = {
  pointer: '',
  code: 'too-long',
  detail: `A message has at most ${MAX_MESSAGE_CHARACTERS} characters, as JSON.`,
  limit: MAX_MESSAGE_CHARACTERS,
  actual: 65_612
}
const REFUSED = { pointer: '', code: 'ERR_BLOCKED_BY_EXTENSION', detail: 'CometChat refused the reply with this code.' }
const RESERVED = { pointer: '/sender', code: 'reserved-name', detail: 'It is not for callers to set.' }

/** One example of each problem: what the service says in a likely case of it. */
const EXAMPLES: Readonly<Record<ProblemCode, Example>> = {
  'malformed-request': ['The body is not valid JSON in UTF-8.'],
  'reserved-name': ['A member names something that only this service may set.', { errors: [RESERVED] }],
  'ambiguous-credentials': [
    'Send one credential, once: a bearer token or a session cookie, not the authorization header and the connect.sid cookie.'
  ],
  'idempotency-key-invalid': ['An Idempotency-Key has 1 to 255 visible ASCII characters.'],
  'idempotency-key-required': ['Send an Idempotency-Key: one new key for each new reply.'],
  unauthenticated: ['A credential is needed.'],
  forbidden: ['The token lacks the scope that this needs.'],
  csrf: ['A call with a cookie needs proof of its origin: send X-CSRF: 1.'],
  'identity-unmappable': ['The signed-in user cannot be mapped to a CometChat UID.'],
  'not-yours': ['Only its sender may change a reply.'],
  'not-found': ['There is nothing at this address.'],
  'thread-not-found': ['There is no such thread, or this user may not reply in it.'],
  'method-not-allowed': ['Only GET and POST are answered here.'],
  'request-timeout': ['The request took too long to arrive.'],
  'thread-mismatch': ['The message is itself a reply; threads have one level.'],
  'idempotency-in-flight': ['A request with this key is being processed.', SOON],
  'payload-too-large': ['The body is too large.'],
  'unsupported-media-type': ['Send content-type: application/json, in UTF-8.'],
  'invalid-request': ['The request is not valid; see errors.', { errors: [TOO_LONG], whose: 'user' }],
  'idempotency-key-reused': ['This Idempotency-Key was used for another reply.'],
  'rejected-by-cometchat': ['CometChat refused the reply.', { errors: [REFUSED] }],
  'rate-limited': [
    'This user has sent as many messages as are allowed in a minute.',
    { retryAfterMs: 12_000, violatedPolicies: ['user'] }
  ],
  'headers-too-large': ['The request headers are too large.'],
  'client-closed': ['The client went away.'],
  internal: ['Something broke in this service; the request id helps to find it.'],
  'upstream-credentials': ['The key of this service was refused; the operator is told.'],
  'upstream-misconfigured': ['CometChat refuses the app of this service; the operator is told.'],
  'upstream-reset': ['The connection to CometChat was lost.', SOON],
  'upstream-error': ['CometChat answered with a server error.', SOON],
  'upstream-invalid': ['CometChat gave an answer that cannot be read.', SOON],
  'upstream-mismatch': ['CometChat answered another request.', SOON],
  'upstream-contract': [
    'The reply was sent, but CometChat described it in a way that breaks its schema.',
    { messageId: '1000' }
  ],
  'upstream-unreachable': ['CometChat cannot be reached.', SOON],
  overloaded: ['CometChat does not keep up with what it is asked.', { ...SOON, violatedPolicies: ['upstream-queue'] }],
  draining: ['This instance is shutting down.', SOON],
  'store-unavailable': ['The delivery records cannot be reached.', SOON],
  'store-recovering': [
    'Records were lost or may have been: an earlier attempt may still be sent.',
    { retryAfterMs: 90_000 }
  ],
  'identity-provider-unavailable': ['The keys that sign tokens cannot be read at the moment.', SOON],
  'deadline-exceeded': ['CometChat did not answer in time.', SOON]
}

/** What the service would answer, to a request under a key. */
export function problemExample(code: ProblemCode): Problem {
  const [detail, options] = EXAMPLES[code]
  // Reasons are for the log alone.
  return toProblem(new AppError(code as PlainCode, detail, options), REQUEST_ID, true)
}
