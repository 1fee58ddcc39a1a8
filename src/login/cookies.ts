/**
 * `__Host-` keeps sub-domains and other ports from planting these cookies; browsers that know `__Host-Http-` also keep
 * scripts from doing it (RFC 10017 §6.1.3.2, RFC 6265bis).
 */
export const SESSION_COOKIE = '__Host-Http-session'
export const LOGIN_COOKIE = '__Host-Http-login'

const COMMON = 'Path=/; Secure; HttpOnly'

/** Without `Max-Age`: it ends with the browser, and the service ends it sooner. */
export function sessionCookie(id: string): string {
  return `${SESSION_COOKIE}=${id}; ${COMMON}; SameSite=Strict`
}

/** Lax: it has to come back with the provider's redirect, which begins on another site. */
export function loginCookie(value: string, maxAgeMs: number): string {
  return `${LOGIN_COOKIE}=${value}; ${COMMON}; SameSite=Lax; Max-Age=${Math.floor(maxAgeMs / 1000)}`
}

export function clearedSessionCookie(): string {
  return `${SESSION_COOKIE}=; ${COMMON}; SameSite=Strict; Max-Age=0`
}

export function clearedLoginCookie(): string {
  return `${LOGIN_COOKIE}=; ${COMMON}; SameSite=Lax; Max-Age=0`
}
