// What a client does with one attempt; the storm judges each of them.
export interface SentReply {
  readonly delivery: 'sent' | 'not-sent' | 'unknown'
  readonly retryable: boolean
  readonly retryAfterMs?: number
  readonly messageId?: string
  readonly status?: number
  readonly code?: string
}

/** One request. Without an answer of the service nothing is known, so it is `unknown`, and may be repeated. */
export async function sendOnce(
  url: string,
  token: string,
  key: string,
  body: unknown,
  signal: AbortSignal
): Promise<SentReply> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal
    })
    const json = (await answer.json()) as SentReply & { readonly data?: { readonly id?: string | number } }
    // CometChat writes ids as strings, in some places as numbers.
    const id = json.data?.id
    if (answer.status === 201 && id !== undefined) return { delivery: 'sent', retryable: false, messageId: String(id) }
    // Every refusal of the service has both; what a gateway in between says of itself has not.
    if (answer.status !== 201 && json.delivery !== undefined && json.retryable !== undefined) return json
  } catch {
    // No connection, no JSON, or no answer in time.
  }
  return { delivery: 'unknown', retryable: true }
}
