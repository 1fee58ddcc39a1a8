// What an app sees of this package. Types only: nothing of this file is shipped but its declarations.
import type { Problem } from './problems.ts'

export interface ThreadRepliesOptions {
  /** Where the service is; `''` where page and service have one origin. */
  readonly url: string
  readonly auth: Auth
  /** Where replies wait: IndexedDB unless given, memory where there is none. AsyncStorage fits as it is. */
  readonly storage?: ReplyStorage | undefined
  readonly fetch?: Fetch | undefined
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined
  /** At least 0 and below 1. */
  readonly random?: (() => number) | undefined
  /** Tells when a thread may have changed; polling unless given. */
  readonly live?: LiveSource | undefined
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/**
 * `bearer` gives the access token at each call: an app keeps it, and renews it when it is given as `refused`. An empty
 * text says that nobody is signed in; a rejection says that it cannot be told at the moment.
 */
export type Auth =
  | { readonly bearer: (refused?: string) => Promise<string>; readonly cookie?: undefined }
  | { readonly cookie: 'same-origin' | 'include'; readonly bearer?: undefined }

export interface ReplyStorage {
  getItem(name: string): Promise<string | null | undefined> | string | null | undefined
  setItem(name: string, value: string): unknown
  removeItem(name: string): unknown
  getAllKeys(): Promise<readonly string[]> | readonly string[]
}

/** CometChat's own body for a threaded message, without identity: the README of the service has each member. */
export interface ReplyBody {
  readonly data: { readonly text?: string; readonly [name: string]: unknown }
  readonly category?: string
  readonly type?: string
  readonly receiver?: string
  readonly receiverType?: 'user' | 'group'
  readonly multipleReceivers?: { readonly uids?: readonly string[]; readonly guids?: readonly string[] }
  readonly tags?: readonly string[]
  readonly muid?: string
  readonly quotedMessageId?: string | number
}

/** CometChat's message, as the service passes it on. */
export interface Message {
  readonly id: string | number
  readonly data?: { readonly text?: string; readonly [name: string]: unknown }
  readonly [name: string]: unknown
}

export interface Reply {
  readonly key: string
  readonly threadId: string
  readonly body: ReplyBody
  /** Milliseconds since 1970; later replies of this client have larger ones. */
  readonly createdAt: number
  readonly state: ReplyState
}

export type ReplyState =
  /** Nothing was sent. */
  | { readonly is: 'queued'; readonly because: 'offline' | 'earlier-first' | 'no-owner' }
  | { readonly is: 'sending' }
  /** It is not posted; it is sent again by itself at `until`. */
  | { readonly is: 'waiting'; readonly until: number; readonly code: string }
  /** It may be posted. Looked at again at `until`; without one a person decides: `retry` or `discard`. */
  | { readonly is: 'unconfirmed'; readonly until?: number; readonly code: string }
  /** It waits for `signedIn()`. */
  | { readonly is: 'signed-out' }
  | { readonly is: 'sent'; readonly id: string; readonly message: Message; readonly moderation?: string }
  /** `canEdit`: another text may take its place, since this one is not posted, or was one for a reply that is. */
  | { readonly is: 'failed'; readonly problem: Problem; readonly mayExist: boolean; readonly canEdit: boolean }

export interface Page {
  /** Oldest first. */
  readonly messages: readonly Message[]
  /** Cursors of what is beside it; no `older` at the beginning of the thread. */
  readonly older?: string
  readonly newer?: string
}

/** Calls `ring` whenever the thread may have changed, until the function that it gives is called. */
export type LiveSource = (threadId: string, ring: () => void) => () => void

export interface ThreadReplies {
  /** Keeps the reply and posts it, once, whatever happens. Throws for what can be no body or no key. */
  send(
    threadId: string,
    body: ReplyBody,
    options?: { readonly key?: string | undefined; readonly signal?: AbortSignal | undefined }
  ): Reply
  /** Tries again, and takes a reply without an owner as one of whoever is signed in. */
  retry(key: string): Reply
  /** Another text: of a sent reply in its place, else in a new reply under a new key. Throws while it may be posted. */
  edit(key: string, body: ReplyBody): Reply
  /** Forgets a reply. False, and nothing forgotten, while it is being sent or may be posted. */
  discard(key: string): boolean
  /** Tries at once what waits without a time that the service set; for a return to the foreground. */
  resume(): void
  /** After every sign-in, and every change of account. */
  signedIn(): void
  /** What waits stays stored. */
  close(): void
  /** Tells the replies of this account, oldest first: at once, and at each change. */
  subscribe(threadId: string, onChange: (replies: readonly Reply[]) => void): () => void
  /** Rejects with a `ThreadRepliesError`. */
  list(
    threadId: string,
    options?: { readonly cursor?: string | undefined; readonly limit?: number | undefined }
  ): Promise<Page>
  /** Tells the newest page: first as it is, then whenever it has changed. */
  watch(threadId: string, onChange: (newest: Page) => void): () => void
}

export interface ThreadRepliesError extends Error {
  readonly problem: Problem
}
