export interface SentReply {
  readonly delivery: 'sent' | 'not-sent' | 'unknown'
  readonly retryable: boolean
  readonly retryAfterMs?: number
  readonly messageId?: string
  readonly code?: string
}

/** Sends one reply. Keep `key` with the reply, and use it again for this reply and for no other. */
export async function sendReply(url: string, token: string, key: string, body: unknown): Promise<SentReply> {
  for (;;) {
    const reply = await sendOnce(url, token, key, body)
    if (!reply.retryable) return reply
    await new Promise(resolve => setTimeout(resolve, reply.retryAfterMs ?? 1000))
  }
}

/** One request. Without an answer nothing is known, so it is `unknown`, and may be repeated. */
export async function sendOnce(
  url: string,
  token: string,
  key: string,
  body: unknown,
  signal = AbortSignal.timeout(20_000)
): Promise<SentReply> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal
    })
    // Every refusal has `delivery` and `retryable`; CometChat writes ids as strings, in some places as numbers.
    const json = (await answer.json()) as SentReply & { readonly data: { readonly id: string | number } }
    return answer.status === 201 ? { delivery: 'sent', retryable: false, messageId: String(json.data.id) } : json
  } catch {
    return { delivery: 'unknown', retryable: true }
  }
}
