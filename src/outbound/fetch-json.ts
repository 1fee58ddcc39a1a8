import { Agent } from 'undici'

const MAX_BYTES = 1024 * 1024

export interface JsonRequest {
  /** Sent by POST as it would be by a form (RFC 6749 §B); without it the request is a GET. */
  readonly form?: URLSearchParams
  readonly authorization?: string
}

export interface JsonFetcher {
  (url: string, options?: JsonRequest): Promise<unknown>
  close(): Promise<void>
}

export interface JsonFetcherOptions {
  readonly timeoutMs?: number
  readonly maxBytes?: number
  readonly connections?: number
}

/** An answer, but not a 200. */
export class UnexpectedStatus extends Error {
  override readonly name = 'UnexpectedStatus'
  readonly status: number

  constructor(status: number) {
    super(`answered ${status}`)
    this.status = status
  }
}

/**
 * Asks for small JSON documents: bounded in time and size, without redirects.
 * Rejects for anything but a 200 with JSON.
 */
export function createJsonFetcher({
  timeoutMs = 5000,
  maxBytes = MAX_BYTES,
  connections = 2
}: JsonFetcherOptions = {}): JsonFetcher {
  const dispatcher = new Agent({ allowH2: false, connections, connectTimeout: 2000, maxResponseSize: maxBytes })
  const fetchJson = async (url: string, { form, authorization }: JsonRequest = {}): Promise<unknown> => {
    const { origin, pathname, search } = new URL(url)
    const answer = await dispatcher.request({
      origin,
      path: pathname + search,
      method: form ? 'POST' : 'GET',
      body: form ? form.toString() : null,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(authorization !== undefined && { authorization })
      },
      signal: AbortSignal.timeout(timeoutMs)
    })
    if (answer.statusCode !== 200) {
      await answer.body.dump()
      throw new UnexpectedStatus(answer.statusCode)
    }
    return answer.body.json()
  }
  return Object.assign(fetchJson, { close: () => dispatcher.destroy() })
}
