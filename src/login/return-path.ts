/** Characters of a path, query and fragment; no backslash, quote or control character, which URL parsers reinterpret. */
const PLAIN = /^\/(?!\/)[A-Za-z0-9\-._~!$&()*+,;=:@%/?#]{0,511}$/
/** Coming back to a sign-in page would sign in for ever. */
const OWN = /^\/auth(?:[/?#]|$)/

/**
 * Where a browser may be sent after login or logout: a path of this origin, as an absolute URL. Undefined for anything
 * that some browser could take to another origin.
 */
export function returnUrl(path: unknown, origin: string): string | undefined {
  if (typeof path !== 'string' || !PLAIN.test(path)) return undefined
  const url = new URL(path, origin)
  if (url.origin !== origin || url.username !== '' || url.password !== '') return undefined
  return OWN.test(decoded(url.pathname)) ? undefined : url.href
}

/** `%61uth` is `auth` to some routers. */
function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname).toLowerCase()
  } catch {
    return '/auth'
  }
}
