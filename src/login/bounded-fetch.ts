import type { CustomFetch } from 'openid-client'

const MAX_BYTES = 1024 * 1024

/** A fetch for answers that are small: it does not follow redirects and gives up on one that goes on and on. */
export const boundedFetch: CustomFetch = async (url, options) => {
  const response = await fetch(url, { ...options, redirect: 'manual' } as RequestInit)
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
  return new Response(Buffer.concat(chunks), { status, headers })
}
