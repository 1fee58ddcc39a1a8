import { LOGIN_COOKIE, SESSION_COOKIE } from '../lib/service/cookie-names.ts'

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
