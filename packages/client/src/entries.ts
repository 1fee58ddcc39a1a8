import type { Problem } from './problems.ts'
import type { Message, ReplyBody, ReplyState } from './types.ts'

/** `until`: when something is done about it again; what has none is final. */
export type EntryState = (ReplyState | { readonly is: 'new' }) & {
  readonly until?: number | undefined
  readonly mayExist?: boolean
}

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
  /** It is not sent again before its key was looked up; and then only where a person insists. */
  readonly lookUp?: 'first' | 'then-send' | undefined
  /** The service asked not to be called before this time. */
  readonly floor?: number | undefined
  /** The message that an edit is about. */
  readonly editOf?: string | undefined
  /** What went wrong last. */
  readonly problem?: Problem | undefined
  readonly state: EntryState
}

export const NEW: EntryState = { is: 'new', until: 0 }
/** Under way; in the storage: it was when its tab ended, or a person wants it to be. */
export const SENDING: EntryState = { is: 'sending', until: 0 }

/** As one that was never tried. */
export function untried(entry: Omit<Entry, 'tries' | 'state'>, state: EntryState = NEW): Entry {
  const { key, threadId, body, createdAt, owner } = entry
  return { key, threadId, body, createdAt, owner, tries: 0, state }
}

/** An attempt may have posted it, and nothing that came later says that it did not. */
export const mayExist = ({ state }: Entry): boolean =>
  state.is === 'sending' || state.is === 'unconfirmed' || !!state.mayExist

/** It may be posted, and will be known. */
export const isInDoubt = (entry: Entry): boolean => mayExist(entry) && entry.state.until !== undefined

export const inOrder = (a: Entry, b: Entry): number => a.createdAt - b.createdAt

/** By thread: the first one that is not settled; those behind it wait. */
export function headsOf(entries: Iterable<Entry>, owner: string | undefined): ReadonlyMap<string, Entry> {
  const unsettled = [...entries].filter(entry => entry.owner === owner && entry.state.until !== undefined)
  const heads = new Map<string, Entry>()
  for (const entry of unsettled.sort(inOrder)) if (!heads.has(entry.threadId)) heads.set(entry.threadId, entry)
  return heads
}

export function sentAs(message: Message): EntryState {
  const moderation = message.data?.['moderation'] as { readonly status?: string } | undefined
  return { is: 'sent', id: `${message.id}`, message, ...(moderation?.status && { moderation: moderation.status }) }
}
