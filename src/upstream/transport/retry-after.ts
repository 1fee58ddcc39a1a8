import { trimBlanks } from '../../lib/ascii.ts'

const MAX_WAIT_MS = 3_600_000
const DELAY_SECONDS = /^\d{1,9}$/
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * Milliseconds to wait by a `Retry-After` header (RFC 9110 §10.2.3: seconds or an HTTP date), at most an hour.
 * Undefined for what is neither: an unread value is not a guess.
 */
export function parseRetryAfter(value: string | string[] | undefined, nowMs: number): number | undefined {
  if (typeof value !== 'string') return undefined
  const text = trimBlanks(value)
  if (DELAY_SECONDS.test(text)) return Math.min(Number(text) * 1000, MAX_WAIT_MS)
  const atMs = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? undefined : Math.min(Math.max(0, atMs - nowMs), MAX_WAIT_MS)
}

/** The same by the instant at which CometChat's limit is reset, in either of its two spellings (Unix seconds). */
export function resetInMs(headers: Readonly<Record<string, unknown>>, nowMs: number): number | undefined {
  const value = headers['x-rate-limit-reset'] ?? headers['x-ratelimit-reset']
  if (typeof value !== 'string' || !/^\d{9,11}$/.test(value)) return undefined
  return Math.min(Math.max(0, Number(value) * 1000 - nowMs), MAX_WAIT_MS)
}
