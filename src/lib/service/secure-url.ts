/** No exception. */
export const NO_HTTP_HOSTS: ReadonlySet<string> = new Set()

/** True for the names and addresses that never leave this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || /^(\[::1\]|::1|127\.\d+\.\d+\.\d+)$/.test(hostname)
}

/** True for https, and for http that stays on this machine or goes to a host (with its port) that is listed. */
export function isSecureUrl(url: URL, httpHosts: ReadonlySet<string> = NO_HTTP_HOSTS): boolean {
  if (url.protocol !== 'http:') return url.protocol === 'https:'
  return isLoopback(url.hostname) || httpHosts.has(url.host)
}
