import type { AuthTokens } from './auth-token-store.ts'
import type { RateLimit } from './rate-limit.ts'
import type { StoredMessage } from './types.ts'
import type { WireContext } from './wire.ts'

/** Asked before a message is accepted, as CometChat's extensions and before-webhooks are. */
export type BeforeSend = (message: StoredMessage) => 'extension' | 'webhook' | undefined

export interface ChatContext extends WireContext {
  readonly settleMs: number
  readonly rateLimit: RateLimit
  readonly authTokens: AuthTokens
  readonly beforeSend: BeforeSend | undefined
  /** Told when a list of a thread was just answered. */
  readonly afterRead: (parentId: string) => void
}

/** What a request does beside posting, once it is committed; `atMs` is when that is. */
export type Effect = (atMs: number) => void

export interface ApiRequest {
  readonly method: string
  /** The raw request target. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Built when it is sent, which is after the posts were committed, or not at all. */
  readonly body: () => unknown
  /** What this request posts. Nothing is posted until somebody commits it. */
  readonly posts: readonly StoredMessage[]
  /** What else it does when it is committed. */
  readonly effect?: Effect
  /** Called when the answer has been worked out and written, which is before the next request is read. */
  readonly afterAnswer?: () => void
  /** The real one is said to swallow some requests (docs/cometchat-facts.md §4.3). */
  readonly hangs: boolean
}

export interface Outcome {
  readonly body: () => unknown
  readonly posts?: readonly StoredMessage[]
  readonly effect?: Effect
  readonly afterAnswer?: () => void
  readonly hangs?: boolean
}
