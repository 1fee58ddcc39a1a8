import type { ReplyBody } from './types.ts'

/** Copies that CometChat's SDK keeps beside `data`, and what CometChat writes itself. */
const LEFT_OUT =
  /^(parentMessageId|text|caption|metadata|customData|interactiveData|interactionGoal|interactions|mentionedUsers)$/

/** The thread and the body of a reply that CometChat's SDK or UI Kit made (docs/from-the-sdk.md); its `muid` is kept. */
export function fromCometChat(message: object): { threadId: string; body: ReplyBody } {
  const written = JSON.parse(JSON.stringify(message)) as Record<string, unknown>
  const body = Object.fromEntries(Object.entries(written).filter(([name]) => !LEFT_OUT.test(name)))
  return { threadId: String(written['parentMessageId']), body: body as unknown as ReplyBody }
}
