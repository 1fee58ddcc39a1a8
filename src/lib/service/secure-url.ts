/** True for the names and addresses that never leave this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || /^(\[::1\]|::1|127\.\d+\.\d+\.\d+)$/.test(hostname)
}

/** True for https, and for http that stays on this machine. */
export function isSecureUrl(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}
