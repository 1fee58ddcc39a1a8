/** What can be wrong with a part of a request, and what that means: docs/problems.md shows this table. */
export const VIOLATIONS = {
  missing: 'the member has to be there',
  'unknown-member': 'no member of this name is known here',
  'reserved-name': 'only this service may set it',
  'not-allowed': 'not here, or none of the values that are allowed',
  'wrong-type': 'another type of JSON is wanted',
  'wrong-format': 'the text has another form than is wanted',
  'out-of-range': 'the number is too small or too large; `limit` is the nearest that is allowed',
  'too-short': 'too few characters; `limit` is the least',
  'too-long': 'too many characters; `limit` is the most',
  'too-few': 'too few entries; `limit` is the least',
  'too-many': 'too many entries; `limit` is the most',
  'too-deep': 'nested deeper than `limit`',
  'not-valid': 'anything else'
} as const
export type ViolationCode = keyof typeof VIOLATIONS

/** As many an answer lists; more would help nobody. */
export const MAX_VIOLATIONS = 20

/** One thing that is wrong with the request; `pointer` is an RFC 6901 JSON pointer, never a value. */
export interface Violation {
  readonly pointer: string
  /** A `ViolationCode`, or CometChat's own where it refused; of several receivers also the code of a problem. */
  readonly code: string
  readonly detail: string
  /** The most, or the least, that is allowed: characters as JavaScript's `[...text].length` counts, entries, or a number. */
  readonly limit?: number
  /** What there is, in the same unit. */
  readonly actual?: number
}
