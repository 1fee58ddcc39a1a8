import type { CustomFetch } from 'openid-client'
import { Agent, type buildConnector, type RequestInit, fetch as undiciFetch } from 'undici'

const MAX_BYTES = 1024 * 1024

/**
 * A fetch for answers that are small: it does not follow redirects and gives up on one that goes on and on. `connect` says
 * how connections are made where there is a proxy.
 */
export function createBoundedFetch(connect?: buildConnector.connector | undefined): CustomFetch {
  const dispatcher = connect && new Agent({ allowH2: false, connect })
  return async (url, options) => {
    // Node's own fetch takes no agent of another undici.
    const response = dispatcher
      ? await undiciFetch(url, { ...options, redirect: 'manual', dispatcher } as RequestInit)
      : await fetch(url, { ...options, redirect: 'manual' } as globalThis.RequestInit)
    return bounded(response as Response)
  }
}

async function bounded(response: Response): Promise<Response> {
  const { status, headers, body } = response
  if (!body) return response
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.byteLength
    // Leaving the loop cancels the rest.
    if (length > MAX_BYTES) throw new TypeError('the answer is too large')
    chunks.push(chunk)
  }
  return new Response(Buffer.concat(chunks), { status, headers: Object.fromEntries(headers) })
}
