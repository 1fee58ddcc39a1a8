import type { Entry } from './entries.ts'
import type { Auth, Fetch, ReplyStorage } from './types.ts'

/** What the parts of one client share. */
export interface Core {
  readonly url: string
  readonly auth: Auth
  readonly storage: ReplyStorage
  readonly fetch: Fetch
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** At least 0 and below 1. */
  readonly random: () => number
  /** What the names of its items in the storage begin with; also the name under which tabs hear of each other. */
  readonly name: string
  readonly entries: Map<string, Entry>
  /** By thread: the key of the reply of which an answer is waited for. */
  readonly busy: Map<string, string>
  /** Keys of replies that were written before it was known whose they are; true where the question was on its way by then. */
  readonly early: Map<string, boolean>
  /** Who is signed in, as the service said. */
  owner?: string | undefined
  /** Also who was when it last said so: whose replies are shown before it can say again. */
  shown?: string | undefined
  /** It asks who is signed in. */
  isAsking: boolean
  /** It waits for a sign-in. */
  isSignedOut: boolean
  isClosed: boolean
  /** Until then this tab sends. */
  mineUntil: number
  /** What is left for retries. */
  budget: number
  /** What else is to be ended with the client. */
  readonly ends: (() => void)[]
  /** Called after every change; without an entry any state may be another one. */
  changed(entry?: Entry): void
}

/** Whether this tab sends. */
export const isMine = ({ mineUntil, now }: Core): boolean => mineUntil > now()
