// How the demo's server answers.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FindFile } from './static-files.ts'

/** Nothing but this server, no inline code, no frame but the phones. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "frame-ancestors 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'"
].join('; ')

export const SAFETY_HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store'
}

/** Whether it comes from a page of another origin, or by a name that was pointed at this machine. */
export function isForeign({ headers }: IncomingMessage, { pathname }: URL, origin: string): boolean {
  const { host, origin: from } = headers
  // The provider's page is of another origin, and looks the same.
  const isOpen = pathname.startsWith('/fonts/')
  return `http://${host}` !== origin || (from !== undefined && from !== origin && !isOpen)
}

export async function sendFile(find: FindFile, response: ServerResponse, pathname: string): Promise<void> {
  const file = await find(pathname)
  if (!file) {
    sendJson(response, 404, {})
    return
  }
  if (pathname.startsWith('/fonts/')) response.setHeader('access-control-allow-origin', '*')
  response.writeHead(200, { 'content-type': file.type }).end(file.bytes)
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location }).end()
}
