import type { Problem, Violation } from './problems.ts'

export interface Explanation {
  /** For an app's own sentences, in its users' language: a code of docs/problems.md, or of `errors` where that says more. */
  readonly id: string
  /** What a sentence may name: `seconds`, `limit`, `actual`, `over`. */
  readonly params: Readonly<Record<string, number>>
  /** A suggestion in English. */
  readonly text: string
  /** Who can do something about it. */
  readonly whose: 'user' | 'developer' | 'operator'
}

const BROKEN = 'Something is wrong with this app. Please try again later.'
const AWAY = 'Chat is not available at the moment. Please try again later.'
const DOUBT = 'It is not clear yet whether this was sent. Please wait.'
const NOT_AGAIN = 'It is not clear whether this was sent. Look at the conversation before you send it again.'

/** The sentences of docs/problems.md. */
const SENTENCES: readonly (readonly [codes: RegExp, text: string])[] = [
  [/^(unauthenticated|ambiguous-credentials)$/, 'Please sign in again.'],
  [/^forbidden$/, 'You are not allowed to do this.'],
  [/^identity-unmappable$/, 'Your account cannot be used for chat yet.'],
  [/^not-yours$/, 'Only the author of a reply can change it.'],
  [/^thread-not-found$/, 'This conversation is not open to you.'],
  [/^request-timeout$/, 'The connection is slow. Please try again.'],
  [/^payload-too-large$/, 'This reply is too long.'],
  [/^invalid-request$/, 'This reply cannot be sent as it is.'],
  [/^rejected-by-cometchat$/, 'This reply was not accepted.'],
  [/^rate-limited$/, 'That was too much at once. Please wait a moment.'],
  [/^client-closed$/, 'The connection was lost. Please try again.'],
  [/^upstream-contract$/, 'Your reply was sent.'],
  [/^(idempotency-in-flight|upstream-(reset|error|invalid|mismatch)|no-answer|not-ours)$/, DOUBT],
  [/^too-old$/, NOT_AGAIN],
  [/^not-stored$/, 'This device has no room left to keep your reply.'],
  [/^(malformed|reserved|idempotency|csrf|not-found|method|thread-mismatch|unsupported|headers)/, BROKEN]
]
const OF_DEVELOPER =
  /^(malformed|reserved|ambiguous|idempotency-key|csrf|not-found|method|thread-mismatch|unsupported|invalid-request|headers)/
const OF_USER =
  /^(unauthenticated|not-yours|thread-not-found|request-timeout|payload|rejected|rate|client-closed|no-answer|not-stored|too-old|other-account)/

/** What to tell the user of an app about a problem, and who can do something about it. */
export function explain(problem: Problem): Explanation {
  const { code, retryAfterMs, errors, whose } = problem
  const more = errors?.map(sentenceOf).find(found => found !== undefined)
  return {
    id: more?.id ?? code,
    params: { ...(retryAfterMs && { seconds: Math.ceil(retryAfterMs / 1000) }), ...more?.params },
    text: more?.text ?? SENTENCES.find(([codes]) => codes.test(code))?.[1] ?? AWAY,
    whose: whose ?? (OF_DEVELOPER.test(code) ? 'developer' : OF_USER.test(code) ? 'user' : 'operator')
  }
}

/** Of what a user can mend. */
function sentenceOf({ code, limit, actual }: Violation): Omit<Explanation, 'whose'> | undefined {
  if (limit === undefined || actual === undefined || !/^too-(long|many)$/.test(code)) return undefined
  const over = actual - limit
  const text = code === 'too-long' ? `This reply is too long by ${over}.` : `${actual} are too many: ${limit} at most.`
  return { id: code, params: { limit, actual, over }, text }
}
