import type { Test } from 'tap'
import type { ReplyAnswer } from './thread.ts'

type Delivery = 'sent' | 'not-sent' | 'unknown'

/**
 * The refusal table of docs/problems.md, written out a second time on purpose: tests must not learn it from
 * the code that they judge.
 */
const TABLE = {
  'malformed-request': [400, 'not-sent', 'no'],
  'reserved-name': [400, 'not-sent', 'no'],
  'ambiguous-credentials': [400, 'not-sent', 'no'],
  'idempotency-key-invalid': [400, 'not-sent', 'no'],
  'idempotency-key-required': [400, 'not-sent', 'no'],
  unauthenticated: [401, 'not-sent', 'no'],
  forbidden: [403, 'not-sent', 'no'],
  csrf: [403, 'not-sent', 'no'],
  'identity-unmappable': [403, 'not-sent', 'no'],
  'not-yours': [403, 'not-sent', 'no'],
  'thread-not-found': [404, 'not-sent', 'no'],
  'thread-mismatch': [409, 'not-sent', 'no'],
  'idempotency-in-flight': [409, 'unknown', 'yes'],
  'store-recovering': [503, 'unknown', 'yes'],
  'payload-too-large': [413, 'not-sent', 'no'],
  'unsupported-media-type': [415, 'not-sent', 'no'],
  'invalid-request': [422, 'not-sent', 'no'],
  'idempotency-key-reused': [422, 'not-sent', 'no'],
  'rejected-by-cometchat': [422, 'not-sent', 'no'],
  'rate-limited': [429, 'not-sent', 'yes'],
  'upstream-credentials': [502, 'not-sent', 'no'],
  'upstream-misconfigured': [502, 'not-sent', 'no'],
  'upstream-reset': [502, 'unknown', 'with-key'],
  'upstream-error': [502, 'unknown', 'with-key'],
  'upstream-invalid': [502, 'unknown', 'with-key'],
  'upstream-mismatch': [502, 'unknown', 'with-key'],
  'upstream-contract': [502, 'sent', 'no'],
  'upstream-unreachable': [503, 'not-sent', 'yes'],
  overloaded: [503, 'not-sent', 'yes'],
  draining: [503, 'not-sent', 'yes'],
  'store-unavailable': [503, 'not-sent', 'yes'],
  'identity-provider-unavailable': [503, 'not-sent', 'yes'],
  'deadline-exceeded': [504, 'not-sent', 'yes'],
  internal: [500, 'not-sent', 'no'],
  // Not rows of §3.3, but refusals that HTTP itself asks for.
  'not-found': [404, 'not-sent', 'no'],
  'method-not-allowed': [405, 'not-sent', 'no'],
  'request-timeout': [408, 'not-sent', 'yes'],
  'headers-too-large': [431, 'not-sent', 'no'],
  'client-closed': [499, 'not-sent', 'yes']
} as const satisfies Record<string, readonly [number, Delivery, 'no' | 'yes' | 'with-key']>

export type ProblemCode = keyof typeof TABLE

/** The codes for which the contract names `Retry-After`. */
const WITH_RETRY_AFTER: ReadonlySet<ProblemCode> = new Set([
  'rate-limited',
  'overloaded',
  'draining',
  'store-unavailable',
  'identity-provider-unavailable'
])
const MEMBERS = new Set(
  'type title status detail instance code delivery retryable whose retryAfterMs messageId errors'.split(' ')
)
/** Those of docs/problems.md, of CometChat, and, with several receivers, of a problem. */
const VIOLATION = new RegExp(
  `^(missing|unknown-member|reserved-name|not-allowed|wrong-type|wrong-format|out-of-range|too-(short|long|few|many|deep)|not-valid|ERR_[A-Z_]+|${Object.keys(TABLE).join('|')})$`
)
/** What a caller has no business knowing: where things run, what they are built of, and what CometChat wrote. */
const INTERNALS =
  /127\.0\.0\.1|localhost|::1|\.invalid|cometchat\.io|undici|node:|\.ts\b|\bat \S+ \(|E[A-Z]{3,}REFUSED|ECONN|ENOTFOUND|EAI_AGAIN|UND_ERR|HPE_|FST_|SQL|redis|Please|make sure|chat-api|<html|went wrong/i

export interface ProblemExpectation {
  /** Where it is not the one of the table. */
  readonly delivery?: Delivery
  /** Whether the request carried an Idempotency-Key. */
  readonly hasKey?: boolean
  /** What must not be in the answer: secrets, text, names of this very case. */
  readonly without?: readonly string[]
}

/** Every code of the table, to be counted off. */
export const PROBLEM_CODES = Object.keys(TABLE) as readonly ProblemCode[]

/** Asserts everything that the contract says of a refusal with this code. */
export function expectProblem(
  t: Test,
  { status, headers, text, json }: ReplyAnswer,
  code: ProblemCode,
  { delivery, hasKey = false, without = [] }: ProblemExpectation = {}
): void {
  const [wantedStatus, usualDelivery, retry] = TABLE[code]
  const wantedDelivery = delivery ?? usualDelivery
  const isUnknown = wantedDelivery === 'unknown'
  const retryable = retry !== 'no' && (isUnknown ? hasKey : true)
  const requestId = headers.get('x-request-id')

  t.equal(status, wantedStatus, `${code} is a ${wantedStatus}`)
  t.equal(headers.get('content-type')?.split(';')[0], 'application/problem+json')
  t.match(json, { code, status: wantedStatus, delivery: wantedDelivery, retryable }, `the members of ${code}`)
  t.equal(json?.type, `urn:thread-reply-bff:problem:${code}`)
  t.match(json, { title: /\S/, detail: /\S/, instance: `urn:request:${requestId}` })
  t.match(json?.whose, /^(user|developer|operator)$/)
  for (const { code: found, limit, actual, ...others } of json?.errors ?? []) {
    t.match(found, VIOLATION, 'one of the documented codes')
    t.strictSame(Object.keys(others), ['pointer', 'detail'])
    for (const number of [limit, actual]) t.ok(number === undefined || Number.isFinite(number))
  }
  t.match(requestId, /^[A-Za-z0-9._-]{8,64}$/)
  t.equal(headers.get('cache-control'), 'no-store')
  t.equal(headers.get('x-content-type-options'), 'nosniff')
  t.same(
    Object.keys(json ?? {}).filter(name => !MEMBERS.has(name)),
    [],
    'no member that the contract does not name'
  )
  expectRetryAfter(t, headers.get('retry-after'), json?.retryAfterMs, {
    isNamed: WITH_RETRY_AFTER.has(code),
    retryable
  })
  t.notMatch(text, INTERNALS, 'nothing internal')
  t.notOk(
    without.find(secret => text.includes(secret)),
    'nothing of the case'
  )
}

/** The header and the member say the same, and only where the request may be sent again: clients act on the header. */
function expectRetryAfter(
  t: Test,
  header: string | null,
  ms: unknown,
  { isNamed, retryable }: { readonly isNamed: boolean; readonly retryable: boolean }
): void {
  if (isNamed) t.match(header, /^[1-9]\d*$/, 'Retry-After in whole seconds')
  if (!retryable) t.equal(header, null, 'no Retry-After where resending is not safe')
  t.equal(
    header,
    ms === undefined ? null : String(Math.max(1, Math.ceil(Number(ms) / 1000))),
    'one truth about waiting'
  )
}
