import { postReplyRequest, replyBody } from './requests.ts'
import type { Receiver, Reply } from './types.ts'

/** A request to CometChat for people to read. */
export interface ShownRequest {
  readonly method: string
  readonly url: string
  /** As they are spelled on the wire; the key is its fingerprint. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/**
 * What CometChat would be sent for a reply. It is made without the key, of which only the fingerprint is given, so it
 * cannot show it and is of no use for sending. Throws `invalid-request` for a message that is too long.
 */
export function showReply(
  { origin, keyFingerprint }: { readonly origin: string; readonly keyFingerprint: string },
  reply: Reply,
  receiver: Receiver
): ShownRequest {
  const body = replyBody(reply, receiver)
  const { method, path, headers } = postReplyRequest(reply, body, { reveal: () => keyFingerprint })
  const pairs = headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? '']] : []))
  return { method, url: origin + path, headers: Object.fromEntries(pairs), body: JSON.parse(body) }
}
