import type { RateLimit } from './rate-limit.ts'
import type { StoredMessage } from './types.ts'
import type { WireContext } from './wire.ts'

/** Asked before a message is accepted, as CometChat's extensions and before-webhooks are. */
export type BeforeSend = (message: StoredMessage) => 'extension' | 'webhook' | undefined

export interface ChatContext extends WireContext {
  readonly settleMs: number
  readonly rateLimit: RateLimit
  readonly beforeSend: BeforeSend | undefined
}

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
  /** The real one is said to swallow some requests (docs/cometchat-facts.md §4.3). */
  readonly hangs: boolean
}

export interface Outcome {
  readonly body: () => unknown
  readonly posts?: readonly StoredMessage[]
  readonly hangs?: boolean
}
