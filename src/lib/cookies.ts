import { trimBlanks } from './ascii.ts'

export interface Cookie {
  readonly name: string
  readonly value: string
}

/**
 * The pairs of a `Cookie` header (RFC 6265 §4.2.1), as they were sent: nothing is decoded. A piece without `=` is no pair.
 * A name is what it is byte by byte: browsers apply the rules of `__Host-` to exactly these bytes, so any name that
 * were only similar could have been planted by another host.
 */
export function parseCookies(header: string): Cookie[] {
  const cookies: Cookie[] = []
  for (const pair of header.split(';')) {
    const end = pair.indexOf('=')
    if (end < 0) continue
    cookies.push({ name: trimBlanks(pair.slice(0, end)), value: trimBlanks(pair.slice(end + 1)) })
  }
  return cookies
}

/** The value of a cookie that came exactly once; of two with one name neither can be believed. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  const found = parseCookies(header ?? '').filter(cookie => cookie.name === name)
  return found.length === 1 ? found[0]?.value : undefined
}
