import type { DeliveryState } from '../lib/refusals/problems.ts'
import type { CometChatClient } from '../upstream/cometchat-client.ts'
import type { Deadline } from '../upstream/types.ts'
import type { ReplyCommand } from './command.ts'
import { isFinal, stillUnknown, storeRecovering, storeUnavailable } from './outcome.ts'
import type { DeletionNotes } from './posted/deletion-notes.ts'
import { type AcquireResult, KEPT_MS, type RecordedOutcome, restAfterLossMs } from './record.ts'
import type { ReplyRecord } from './reply-record.ts'
import { type LookReport, type LookScope, lookForReply } from './reply-search.ts'
import type { SearchMemory } from './search-state.ts'

export interface ReconciliationOptions {
  readonly cometchat: CometChatClient
  /** Of replies that their authors deleted. */
  readonly notes: Pick<DeletionNotes, 'find'>
  /** How long after the last possible write a reply that is absent counts as never sent, in milliseconds. */
  readonly quietPeriodMs: number
}

/** What became of an earlier attempt whose client was not told: only the thread itself can say. */
export class Reconciliation {
  readonly #options: ReconciliationOptions
  readonly #order: ReplyCommand
  readonly #record: ReplyRecord
  readonly #deadline: Deadline

  constructor(options: ReconciliationOptions, order: ReplyCommand, record: ReplyRecord, deadline: Deadline) {
    this.#options = options
    this.#order = order
    this.#record = record
    this.#deadline = deadline
  }

  /** Where the store cannot be reached, and nothing of this attempt was sent. */
  async withoutRecord(): Promise<DeliveryState> {
    const record = this.#record
    if (!record.isKeyed) return 'not-sent'
    if (!record.isOnlyAttempt()) return 'unknown'
    const { localSearch } = record
    const scope = { search: localSearch.last, owner: record.owner, quietRestMs: 0, sinceMs: this.#oldestAttemptMs(0) }
    const { found } = await this.#look(scope, localSearch)
    // Asked again afterwards: another attempt may have begun, posted and ended while the thread was read.
    return found === 'absent' && record.isOnlyAttempt() ? 'not-sent' : 'unknown'
  }

  /**
   * Where the store may have lost the record of an earlier attempt. Undefined where the reply may be sent; throws where
   * that is not known.
   */
  async afterDataLoss(former: string | undefined, msSinceDataLoss: number): Promise<RecordedOutcome | undefined> {
    const record = this.#record
    const restMs = this.#restAfterLossMs(msSinceDataLoss)
    const sinceMs = this.#oldestAttemptMs(msSinceDataLoss)
    const scope = { search: former ?? record.firstSearch, owner: '', quietRestMs: Math.max(0, restMs), sinceMs }
    const { found, waitMs, search } = await this.#lookAndKeep(scope)
    if (isFinal(found)) return found
    if (found === 'absent' && restMs <= 0) return undefined
    await record.release(search)
    throw restMs > 0 ? storeRecovering(restMs) : stillUnknown(waitMs)
  }

  /** Where the attempt ended without an answer. Undefined where the record is ours now, and the reply may be sent. */
  async inDoubt({
    owner,
    quietForMs,
    search
  }: AcquireResult & { kind: 'in-doubt' }): Promise<RecordedOutcome | undefined> {
    const quietRestMs = this.#quietRestMs(quietForMs)
    const { found, waitMs } = await this.#lookAndKeep({ search, owner, quietRestMs: Math.max(0, quietRestMs) })
    if (isFinal(found)) return found
    if (found !== 'absent' || quietRestMs > 0) throw stillUnknown(waitMs)
    // Records may have been lost while the thread was read.
    const restMs = this.#quietRestMs(quietForMs)
    if (restMs > 0) throw stillUnknown(restMs)
    if (!(await this.#record.takeOver(owner))) throw stillUnknown(0)
    return undefined
  }

  /** How long a reply in doubt may still be posted. */
  #quietRestMs(quietForMs: number): number {
    // A record that is older than the loss may have had another owner since.
    const restAfterLossMs = this.#restAfterLossMs(this.#record.msSinceDataLoss())
    return Math.max(this.#options.quietPeriodMs - quietForMs, restAfterLossMs)
  }

  #restAfterLossMs(msSinceDataLoss: number | undefined): number {
    return restAfterLossMs(msSinceDataLoss, this.#options.quietPeriodMs, this.#record.leaseMs)
  }

  /** CometChat's time when an attempt that was forgotten may have begun at the earliest: by then its record was gone. */
  #oldestAttemptMs(msSinceDataLoss: number): number | undefined {
    const timeMs = this.#options.cometchat.timeMs()
    return timeMs === undefined ? undefined : timeMs - msSinceDataLoss - KEPT_MS.sent
  }

  /** Searches the thread for the reply, and keeps what it finds. */
  async #lookAndKeep(scope: LookScope): Promise<LookReport> {
    const report = await this.#look(scope, this.#record.search)
    if (isFinal(report.found)) await this.#record.completeAsFound(report.found)
    return report
  }

  async #look(scope: LookScope, memory: SearchMemory): Promise<LookReport> {
    const { cometchat, notes } = this.#options
    try {
      return await lookForReply(
        { order: this.#order, record: this.#record, cometchat, deadline: this.#deadline, notes },
        scope,
        memory
      )
    } catch {
      // Without its count nothing is read.
      throw storeUnavailable('unknown')
    }
  }
}
