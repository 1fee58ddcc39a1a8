import type { Secret } from '../lib/secret.ts'
import type { CometChatUid } from '../lib/service/cometchat-uid.ts'

/** What is known of a token that was given out. */
export interface KeptToken {
  readonly uid: CometChatUid
  readonly token: Secret
  /** On the wall clock, in milliseconds. */
  readonly endsAtMs: number
}

/** A record as it is kept; what it holds is sealed. */
export interface TokenRecord {
  readonly sealed: string
  readonly indexKeys: readonly string[]
  readonly idleEndsAtMs: number
  readonly endsAtMs: number
}

/** Where records are: that of the sessions of this service is one. Times are on the wall clock, in milliseconds. */
export interface TokenStore {
  put(name: string, record: TokenRecord, nowMs: number): Promise<void>
  get(name: string): Promise<TokenRecord | undefined>
  delete(name: string): Promise<void>
  /** True the first time, false until the mark has expired. */
  consumeOnce(name: string, untilMs: number, nowMs: number): Promise<boolean>
  forgetConsumed(name: string): Promise<void>
}

/** Seals claims into text that says nothing and cannot be changed; each context has a key of its own. */
export interface TokenSealer {
  seal(claims: Record<string, unknown>, context: string, endsAtMs: number): Promise<string>
  unseal(text: string, context: string): Promise<Readonly<Record<string, unknown>> | 'expired' | undefined>
}
