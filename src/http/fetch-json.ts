import { Agent, request } from 'undici'

const MAX_BYTES = 1024 * 1024

export interface JsonFetcher {
  (url: string): Promise<unknown>
  close(): Promise<void>
}

/**
 * A GET for small JSON documents: bounded in time and size, without redirects.
 * Rejects for anything but a 200 with JSON.
 */
export function createJsonFetcher(timeoutMs = 5000): JsonFetcher {
  const dispatcher = new Agent({ allowH2: false, connections: 2, connectTimeout: 2000, maxResponseSize: MAX_BYTES })
  const fetchJson = async (url: string): Promise<unknown> => {
    const answer = await request(url, {
      dispatcher,
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
      signal: AbortSignal.timeout(timeoutMs)
    })
    if (answer.statusCode !== 200) {
      await answer.body.dump()
      throw new Error(`answered ${answer.statusCode}`)
    }
    return answer.body.json()
  }
  return Object.assign(fetchJson, { close: () => dispatcher.destroy() })
}
