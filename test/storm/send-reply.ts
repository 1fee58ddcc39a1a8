export interface SentReply {
  readonly delivery: 'sent' | 'not-sent' | 'unknown'
  readonly retryable: boolean
  readonly retryAfterMs?: number
  readonly messageId?: string
  readonly status?: number
  readonly code?: string
}

/** The service forgets a key after 24 hours, and the same request is then a new reply. */
const LAST_TRY_MS = 23 * 60 * 60 * 1000
/** Refusals that speak of one request only: the service had not looked at the key yet. */
const BEFORE_THE_KEY = [400, 401, 403, 413, 415]

/**
 * Sends one reply. Keep `key` and the time of the first try with the reply, and use them again for this reply and for no
 * other: after an error, a new sign-in, a reload.
 */
export async function sendReply(
  url: string,
  token: string,
  key: string,
  body: unknown,
  firstTryAtMs = Date.now()
): Promise<SentReply> {
  let wasUnknown = Date.now() > firstTryAtMs
  let last: SentReply = { delivery: 'unknown', retryable: false }
  for (let backOffMs = 1000; Date.now() <= firstTryAtMs + LAST_TRY_MS; backOffMs = Math.min(2 * backOffMs, 60_000)) {
    last = await sendOnce(url, token, key, body)
    const isOfThisTryOnly = last.delivery === 'not-sent' && BEFORE_THE_KEY.includes(last.status ?? 0)
    if (!last.retryable) return wasUnknown && isOfThisTryOnly ? { ...last, delivery: 'unknown' } : last
    wasUnknown ||= last.delivery === 'unknown'
    // Never too early, and not all clients at once.
    const waitMs = Math.max(last.retryAfterMs ?? 0, backOffMs) * (1 + Math.random() / 2)
    await new Promise(resolve => setTimeout(resolve, waitMs))
  }
  return { ...last, retryable: false }
}

/** One request. Without an answer of the service nothing is known, so it is `unknown`, and may be repeated. */
export async function sendOnce(
  url: string,
  token: string,
  key: string,
  body: unknown,
  signal?: AbortSignal
): Promise<SentReply> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      signal: signal ?? AbortSignal.timeout(20_000)
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
