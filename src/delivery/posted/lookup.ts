// What is known of a reply whose key alone is asked with. Nothing is sent, and no record begins.
import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { AppError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { idText } from '../../lib/json.ts'
import type { DeliveryState } from '../../lib/refusals/problems.ts'
import { noteSent } from '../../observability/log-fields.ts'
import type { CometChatClient } from '../../upstream/cometchat-client.ts'
import type { CometChatThreads } from '../../upstream/listing/threads.ts'
import type { OwnReplies } from '../../upstream/own-replies.ts'
import type { Deadline } from '../../upstream/types.ts'
import { deadlineFor, type ReplyCommand } from '../command.ts'
import { LocalAttempts } from '../local-attempts.ts'
import {
  type AcquireResult,
  ANY_CONTENT,
  KEPT_MS,
  LEASE_MARGIN_MS,
  type RecordedOutcome,
  type RecordStore
} from '../record.ts'
import type { RecordKeys } from '../record-keys.ts'
import { deletedReply, type LookReport, type LookScope, lookForReply } from '../reply-search.ts'
import type { SearchMemory } from '../search-state.ts'
import type { DeletionNotes } from './deletion-notes.ts'

export interface LookupOptions {
  readonly store: RecordStore
  readonly recordKeys: RecordKeys
  readonly cometchat: Pick<CometChatClient, 'findReply' | 'timeMs'>
  readonly threads: Pick<CometChatThreads, 'readParent'>
  readonly ownReplies: Pick<OwnReplies, 'read'>
  readonly marker: boolean
  /** Of replies that their authors deleted. */
  readonly notes: Pick<DeletionNotes, 'find'>
  readonly clock: Pick<Clock, 'monotonic'>
  readonly deadlineMs: number
}

export type KeyQuestion = Pick<ReplyCommand, 'parentId' | 'author' | 'facts' | 'isWaiting' | 'waitMs' | 'trace'> & {
  readonly idempotencyKey: string
}

export interface KnownReply {
  readonly delivery: DeliveryState
  /** JSON text of `{"data": Message}`, where it was sent and can be shown. */
  readonly body?: string
  /** When there may be more to know. */
  readonly retryAfterMs?: number
}

export type Lookup = (question: KeyQuestion) => Promise<KnownReply>

/** Searches for keys without a record that a user may ask for in a minute: any text can be such a key. */
const SEARCHES_A_MINUTE = 10
const MINUTE_MS = 60_000
const MAX_USERS = 10_000
/** Between CometChat's clock and how long a record is kept. */
const MARGIN_MS = 3_600_000
const SOON_MS = 1000
/** That the thread does not show it proves nothing here, however long ago it was sent: so far apart are two looks. */
const LOOK_AGAIN_MS = 5000

export function createLookup(options: LookupOptions): Lookup {
  const monotonic = (): number => options.clock.monotonic()
  const searches = new LocalAttempts(monotonic)
  const asked = new LRUCache<string, { readonly sinceMs: number; count: number }>({ max: MAX_USERS })

  /** How long a user has to wait for another search; 0 where this one may be made. */
  function waitOf(uid: string): number {
    const nowMs = monotonic()
    const known = asked.get(uid)
    const span = known && nowMs - known.sinceMs < MINUTE_MS ? known : { sinceMs: nowMs, count: 0 }
    if (span.count >= SEARCHES_A_MINUTE) return span.sinceMs + MINUTE_MS - nowMs
    span.count++
    asked.set(uid, span)
    return 0
  }

  return async question => {
    const known = await new KeyLookup(options, question, { memoryOf: key => searches.searchOf(key), waitOf }).run()
    if (known.delivery !== 'sent') question.facts.delivery = known.delivery
    return known
  }
}

interface Bounds {
  readonly memoryOf: (key: string) => SearchMemory & { readonly last: string | undefined }
  readonly waitOf: (uid: string) => number
}

class KeyLookup {
  readonly #options: LookupOptions
  readonly #question: KeyQuestion
  readonly #bounds: Bounds
  readonly #key: string
  readonly #leaseMs: number
  readonly #deadline: Deadline

  constructor(options: LookupOptions, question: KeyQuestion, bounds: Bounds) {
    const { recordKeys, deadlineMs, clock } = options
    const { author, parentId, idempotencyKey } = question
    const { issuer, subject, uid } = author
    this.#options = options
    this.#question = question
    this.#bounds = bounds
    this.#key = recordKeys.recordKey({ issuer, subject, uid, parentId }, idempotencyKey)
    this.#leaseMs = deadlineMs + LEASE_MARGIN_MS
    this.#deadline = deadlineFor(question, deadlineMs, clock.monotonic(), clock)
  }

  async run(): Promise<KnownReply> {
    const found = await this.#peek()
    switch (found?.kind) {
      case 'done':
      case 'refused':
        this.#question.facts.replayed = true
        return this.#told(await this.#asDeleted(found))
      case 'in-flight':
        return { delivery: 'unknown', retryAfterMs: SOON_MS }
      case 'in-doubt':
        return this.#inDoubt(found)
      default:
        return this.#withoutRecord(found !== undefined)
    }
  }

  /** Undefined where the store is away. */
  async #peek(): Promise<AcquireResult | undefined> {
    const { store } = this.#options
    const question = { key: this.#key, fingerprint: ANY_CONTENT, owner: randomUUID(), leaseMs: this.#leaseMs }
    try {
      return await store.peek(question)
    } catch {
      return undefined
    }
  }

  /**
   * The record has the answer to its sender, who may have deleted the reply since. The note of that was kept before the delete,
   * which may have been refused: so the message is looked at.
   */
  async #asDeleted(outcome: RecordedOutcome): Promise<RecordedOutcome> {
    const { marker } = this.#record
    const deleted = marker !== undefined && outcome.kind === 'done' && (await this.#options.notes.find({ marker }))
    return deleted && !(await this.#isThere(idText(deleted['id']))) ? deletedReply(deleted) : outcome
  }

  /** Whether the reply is there for certain, and not deleted. */
  async #isThere(replyId: string | undefined): Promise<boolean> {
    if (replyId === undefined) return false
    const { parentId, author } = this.#question
    try {
      const reply = await this.#options.ownReplies.read({ parentId, replyId, uid: author.uid }, this.#deadline)
      return !reply.isDeleted
    } catch {
      return false
    }
  }

  get #record(): { readonly marker: string | undefined; readonly leaseMs: number } {
    const { recordKeys, marker } = this.#options
    return { marker: marker ? recordKeys.marker(this.#key) : undefined, leaseMs: this.#leaseMs }
  }

  #told(outcome: RecordedOutcome): KnownReply {
    if (outcome.kind === 'refused') return { delivery: 'not-sent' }
    const { messageId, body } = outcome
    if (messageId === undefined) this.#question.facts.delivery = 'sent'
    else noteSent(this.#question.facts, messageId)
    const told = body ?? (messageId === undefined ? undefined : JSON.stringify({ data: { id: messageId } }))
    return { delivery: 'sent', ...(told !== undefined && { body: told }) }
  }

  /** Only the thread can say; that it does not show the reply proves nothing to whoever does not know what it says. */
  async #inDoubt({ owner, search }: Extract<AcquireResult, { readonly kind: 'in-doubt' }>): Promise<KnownReply> {
    const { store } = this.#options
    const memory: SearchMemory = {
      note: (former, next) => store.noteSearch(this.#key, former, next),
      time: () => store.time(this.#key)
    }
    const { found, waitMs } = await this.#look({ search, owner, quietRestMs: LOOK_AGAIN_MS }, memory)
    if (typeof found !== 'object') return { delivery: 'unknown', retryAfterMs: Math.max(SOON_MS, waitMs) }
    await Promise.resolve(store.complete(this.#key, undefined, found)).catch(() => undefined)
    return this.#told(found)
  }

  async #withoutRecord(isStoreThere: boolean): Promise<KnownReply> {
    const restMs = this.#bounds.waitOf(this.#question.author.uid)
    if (restMs > 0) return { delivery: 'unknown', retryAfterMs: restMs }
    const memory = this.#bounds.memoryOf(this.#key)
    const { found, waitMs } = await this.#look({ search: memory.last, owner: '', quietRestMs: LOOK_AGAIN_MS }, memory)
    if (typeof found === 'object') return this.#told(found)
    if (await this.#wouldBeRemembered(isStoreThere)) return { delivery: 'not-sent' }
    return { delivery: 'unknown', retryAfterMs: Math.max(SOON_MS, waitMs) }
  }

  /** Whether a reply with this key would have its record still: it cannot be older than the message that it replies to. */
  async #wouldBeRemembered(isStoreThere: boolean): Promise<boolean> {
    const { store, threads, cometchat } = this.#options
    const { parentId, author } = this.#question
    // Also where nothing can be said: what this user may not see is not there.
    const { sentAt } = await threads.readParent({ parentId, uid: author.uid }, this.#deadline)
    const nowMs = cometchat.timeMs()
    if (!isStoreThere || store.msSinceDataLoss(this.#key) !== undefined) return false
    if (typeof sentAt !== 'number' || nowMs === undefined) return false
    const rememberedMs = Math.min(KEPT_MS.done, store.rememberedForMs?.() ?? KEPT_MS.done)
    return nowMs - sentAt * 1000 + MARGIN_MS < rememberedMs
  }

  async #look(scope: LookScope, memory: SearchMemory): Promise<LookReport> {
    const { cometchat, notes } = this.#options
    try {
      return await lookForReply(
        { order: this.#question, record: this.#record, cometchat, deadline: this.#deadline, notes },
        scope,
        memory
      )
    } catch (error) {
      if (error instanceof AppError) throw error
      // Without its count nothing is read.
      return { found: 'unclear', waitMs: SOON_MS, search: scope.search }
    }
  }
}
