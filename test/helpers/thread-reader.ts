import type { Json } from './json.ts'
import type { RunningService } from './service-process.ts'
import type { ReplyAnswer } from './thread.ts'
import { tokenFor } from './tokens.ts'

export interface ThreadCall {
  readonly as?: string
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** Asks about a thread over the wire, as a client would; `path` is what follows `/threads/`. */
export async function askThread(
  { url }: Pick<RunningService, 'url'>,
  path: string,
  { as = 'alice', method = 'GET', body, headers = {} }: ThreadCall = {}
): Promise<ReplyAnswer> {
  const response = await fetch(`${url}/threads/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await tokenFor(as)}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) })
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: parse(text) }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
