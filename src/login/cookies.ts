/**
 * `__Host-` keeps sub-domains and other ports from planting these cookies; browsers that know `__Host-Http-` also keep
 * scripts from doing it (RFC 10017 §6.1.3.2, RFC 6265bis).
 */
export const SESSION_COOKIE = '__Host-Http-session'
export const ATTEMPT_COOKIE = '__Host-Http-login'

const COMMON = 'Path=/; Secure; HttpOnly'

/** Without `Max-Age`: it ends with the browser, and the service ends it sooner. */
export function sessionCookie(id: string): string {
  return `${SESSION_COOKIE}=${id}; ${COMMON}; SameSite=Strict`
}

/** Lax: it has to come back with the provider's redirect, which begins on another site. */
export function attemptCookie(value: string, maxAgeMs: number): string {
  return `${ATTEMPT_COOKIE}=${value}; ${COMMON}; SameSite=Lax; Max-Age=${Math.floor(maxAgeMs / 1000)}`
}

export function clearedSessionCookie(): string {
  return `${SESSION_COOKIE}=; ${COMMON}; SameSite=Strict; Max-Age=0`
}

export function clearedAttemptCookie(): string {
  return `${ATTEMPT_COOKIE}=; ${COMMON}; SameSite=Lax; Max-Age=0`
}
