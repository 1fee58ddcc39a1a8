import type { Problem } from './problems.ts'
import type { Message, Reply, ReplyBody, ReplyState } from './types.ts'

/** A reply as it is kept. */
export interface Entry {
  readonly key: string
  readonly threadId: string
  readonly body: ReplyBody
  readonly createdAt: number
  /** Who `GET /me` said was signed in; without one it is sent only when a person says so. */
  readonly owner?: string | undefined
  /** When the first request with its key, or with this edit, was about to leave. */
  readonly firstTryAt?: number | undefined
  readonly tries: number
  /** An attempt may have posted it, and nothing that came later says that it did not. */
  readonly mayExist?: boolean | undefined
  /** It is not sent again before its key was looked up. */
  readonly mustLookUp?: boolean | undefined
  /** A person has seen that it may be posted, and wants it sent. */
  readonly insists?: boolean | undefined
  /** Not before this time; `floor` is the part of it that the service asked for. */
  readonly until?: number | undefined
  readonly floor?: number | undefined
  /** The message that an edit is about. */
  readonly editOf?: string | undefined
  /** What went wrong last. */
  readonly problem?: Problem | undefined
  readonly state: ReplyState | { readonly is: 'new' }
}

export const SENDING = { is: 'sending' } as const
export const NEW = { is: 'new' } as const

/** As one that was never tried. */
export const FRESH = {
  tries: 0,
  firstTryAt: undefined,
  mayExist: undefined,
  mustLookUp: undefined,
  insists: undefined,
  until: undefined,
  floor: undefined,
  problem: undefined,
  state: NEW
} as const

/** Nothing is done about it by itself any more. */
export const isFinal = ({ state }: Entry): boolean =>
  state.is === 'sent' || state.is === 'failed' || (state.is === 'unconfirmed' && state.until === undefined)

/** In the order in which they were written; also of those that two tabs wrote in one millisecond. */
export const inOrder = (a: Entry, b: Entry): number => a.createdAt - b.createdAt || (a.key < b.key ? -1 : 1)

export function sentAs(message: Message): ReplyState {
  const moderation = message.data?.['moderation'] as { readonly status?: string } | undefined
  return { is: 'sent', id: String(message.id), message, ...(moderation?.status && { moderation: moderation.status }) }
}

export function replyOf(entry: Entry, state: ReplyState): Reply {
  const { key, threadId, body, createdAt } = entry
  return { key, threadId, body, createdAt, state }
}
