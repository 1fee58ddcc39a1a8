import { idText, type JsonObject } from '../lib/json.ts'
import type { CometChatClient } from '../upstream/cometchat-client.ts'
import type { Deadline, SoughtReply, ThreadLook } from '../upstream/types.ts'
import type { ReplyCommand } from './command.ts'
import { isFinal, outcomeOf } from './outcome.ts'
import type { DeletionNotes } from './posted/deletion-notes.ts'
import type { RecordedOutcome } from './record.ts'
import type { ReplyRecord } from './reply-record.ts'
import {
  bookLook,
  NOTHING_TO_SEARCH_MS,
  readSearch,
  type SearchMemory,
  type SearchState,
  settleLook,
  writeSearch
} from './search-state.ts'

type Searchable = Pick<CometChatClient, 'findReply'>

/** `unclear` when neither the reply nor its absence could be shown. */
type Found = RecordedOutcome | 'absent' | 'unclear'

/** What one look into the thread is about. */
export interface LookScope {
  /** What is remembered of the search so far, as the record has it. */
  readonly search: string | undefined
  /** The attempt that may have been posted. */
  readonly owner: string
  /** How long it may still be posted. */
  readonly quietRestMs: number
  /** CometChat's time when the first attempt began, at the latest; that of the record unless given. */
  readonly sinceMs?: number | undefined
}

export interface LookReport {
  /** `too-early` when nothing was read. */
  readonly found: Found | 'too-early'
  /** Nothing will be read for so long. */
  readonly waitMs: number
  /** What is to be remembered; it stands in the record unless that failed. */
  readonly search: string | undefined
}

/** A reply that is looked for; what it says is not known to whoever has its key alone. */
export type SoughtOrder = Pick<ReplyCommand, 'parentId' | 'author' | 'facts'> & Partial<Pick<ReplyCommand, 'message'>>

export interface ReplySearchOptions {
  readonly order: SoughtOrder
  readonly record: Pick<ReplyRecord, 'marker' | 'leaseMs'>
  readonly cometchat: Searchable
  readonly deadline: Deadline
  readonly notes: Pick<DeletionNotes, 'find'>
}

/**
 * Looks for a reply as often, and at as many reads, as its record allows. One that the thread does not show may have been
 * deleted by its author: then it was sent.
 */
export async function lookForReply(
  options: ReplySearchOptions,
  scope: LookScope,
  memory: SearchMemory
): Promise<LookReport> {
  const report = await lookIntoThread(options, scope, memory)
  const { marker } = options.record
  if (isFinal(report.found) || marker === undefined) return report
  const deleted = await options.notes.find({ marker })
  if (!deleted) return report
  options.order.facts.reconciled = 'found'
  return { ...report, found: deletedReply(deleted) }
}

/** What is told of a reply that was sent and deleted. */
export function deletedReply(tombstone: JsonObject): RecordedOutcome {
  const messageId = idText(tombstone['id'])
  return messageId === undefined
    ? { kind: 'done' }
    : { kind: 'done', messageId, body: JSON.stringify({ data: tombstone }) }
}

async function lookIntoThread(
  { order, record, cometchat, deadline }: Omit<ReplySearchOptions, 'notes'>,
  { search, owner, quietRestMs, sinceMs }: LookScope,
  memory: SearchMemory
): Promise<LookReport> {
  // Without a marker there is nothing to look for; and the thread shows nothing of other receivers: it proves neither that
  // they got the reply nor that they did not.
  if (record.marker === undefined || order.message?.multipleReceivers !== undefined) {
    order.facts.reconciled = 'unclear'
    return { found: 'unclear', waitMs: NOTHING_TO_SEARCH_MS, search }
  }
  const former = readSearch(search, memory.time().nowMs)
  const booking = bookLook(former, memory.time(), quietRestMs, record.leaseMs)
  if ('waitMs' in booking) return { found: 'too-early', waitMs: booking.waitMs, search }
  const booked = writeSearch(booking.state)
  if (!(await memory.note(search, booked))) return { found: 'too-early', waitMs: 0, search }
  const look: ThreadLook = {
    maxReads: booking.maxReads,
    wantsProof: quietRestMs <= 0,
    sinceMs: sinceMs ?? former.sinceMs,
    reads: 0,
    ...memoryFor(former, owner)
  }
  const found = await findPosted(order, record.marker, cometchat, look, deadline)
  const { reads, memory: place } = look
  const result = {
    bookedReads: booking.maxReads,
    reads,
    isAbsent: found === 'absent',
    quietRestMs,
    memory: place,
    owner
  }
  const { state, waitMs } = settleLook(booking.state, memory.time(), result)
  const settled = writeSearch(state)
  // What is not noted stays booked.
  const isNoted = await memory.note(booked, settled).catch(() => false)
  return { found, waitMs, search: isNoted ? settled : booked }
}

/** Where another attempt was looked for proves nothing of this one, which may have been written since. */
function memoryFor({ memory, memoryOf }: SearchState, owner: string): Pick<ThreadLook, 'memory'> {
  return memory && memoryOf === owner ? { memory } : {}
}

/** Looks for a reply whose outcome its client was not told: its marker in the thread, as its author sees it. */
async function findPosted(
  { parentId, author, message, facts }: SoughtOrder,
  marker: string,
  cometchat: Searchable,
  look: ThreadLook,
  deadline: Deadline
): Promise<Found> {
  facts.reconciled = 'unclear'
  const found = await search(
    cometchat,
    { parentId, uid: author.uid, marker, ...(message && { message }) },
    look,
    deadline
  )
  if (found !== 'unclear') facts.reconciled = found === 'absent' ? 'absent' : 'found'
  return found
}

async function search(
  cometchat: Searchable,
  sought: SoughtReply,
  look: ThreadLook,
  deadline: Deadline
): Promise<Found> {
  try {
    const reply = await cometchat.findReply(sought, look, deadline)
    return reply === 'absent' ? 'absent' : { kind: 'done', messageId: reply.messageId, body: reply.body }
  } catch (error) {
    const outcome = outcomeOf(error)
    // A refusal is about reading the thread, not about the reply.
    return outcome?.kind === 'done' ? outcome : 'unclear'
  }
}
