const MAX_WAIT_MS = 3_600_000
const DELAY_SECONDS = /^\d{1,9}$/
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * Milliseconds to wait by a `Retry-After` header (RFC 9110 §10.2.3: seconds or an HTTP date), at most an hour.
 * Undefined for what is neither: an unread value is not a guess.
 */
export function parseRetryAfter(value: string | string[] | undefined, nowMs: number): number | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (DELAY_SECONDS.test(text)) return Math.min(Number(text) * 1000, MAX_WAIT_MS)
  if (!HTTP_DATE.test(text)) return undefined
  return Math.min(Math.max(0, Date.parse(text) - nowMs), MAX_WAIT_MS)
}
