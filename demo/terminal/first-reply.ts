// One reply, sent the way any client would send it, and whether it arrived.
import type { PostedMessage } from '../../emulator/types.ts'

export interface ReplyRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface ReplyAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

const ANSWER_WITHIN_MS = 20_000

export function replyRequest(url: string, token: string, idempotencyKey: string, text: string): ReplyRequest {
  return {
    url: `${url}/threads/100/replies`,
    headers: {
      Authorization: `Bearer ${token}`,
      'Idempotency-Key': idempotencyKey,
      'Content-Type': 'application/json'
    },
    body: JSON.stringify({ data: { text } })
  }
}

export async function send({ url, headers, body }: ReplyRequest, stopping: AbortSignal): Promise<ReplyAnswer> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(ANSWER_WITHIN_MS)])
  const response = await fetch(url, { method: 'POST', headers, body, signal })
  return { status: response.status, headers: response.headers, body: await response.text() }
}

/** True when CometChat holds exactly one message, by that user, and the client was told so. */
export function hasArrivedOnce(ledger: readonly PostedMessage[], user: string, { status }: ReplyAnswer): boolean {
  const [posted, ...more] = ledger
  return status === 201 && more.length === 0 && posted?.onBehalfOf === user && posted.message.sender === user
}
