import { isObject, type JsonObject, parseJsonText } from '../lib/json.ts'
import type { ThreadMemory } from '../upstream/thread/page.ts'
import type { StoreTime } from './record.ts'

/** What the record of a reply remembers of the search for it. Dates are of the clock of the records, in milliseconds. */
export interface SearchState {
  /** CometChat's own time when the first attempt began. */
  readonly sinceMs?: number
  /** When the span began in which `reads` were made; the first one begins with the first look. */
  readonly spanAtMs?: number
  readonly isFirstSpan: boolean
  readonly reads: number
  readonly looks: number
  /** When the last look began or ended, and for how long from then nothing is read. */
  readonly lookedAtMs?: number
  readonly waitMs?: number
  /** A look is under way, or was when its process ended. */
  readonly isLooking?: boolean
  /** Where the last look came to, and the attempt that it was about: a later one may have been written since. */
  readonly memory?: ThreadMemory
  readonly memoryOf?: string
}

/** Where what is remembered of a search is kept; the record, or this process while there is none. */
export interface SearchMemory {
  /** False when another attempt has changed it. */
  note(former: string | undefined, search: string): Promise<boolean>
  time(): StoreTime
}

export type Booking =
  | { readonly maxReads: number; readonly state: SearchState }
  /** Nothing may be read for so long. */
  | { readonly waitMs: number }

/** What one reply may cost CometChat. */
const READS_A_SPAN = 20
const FIRST_SPAN_MS = 10 * 60_000
const SPAN_MS = 3_600_000
/** What one look books, and costs where its process or its store ends before it does: another one is left. */
const READS_A_LOOK = 10
/** While the reply may still be posted its absence proves nothing: a look reads as much as it takes to find it. */
const EARLY_READS = [5, 3, 2] as const
/** What all looks that can prove nothing leave to those that can, however often a store forgets or a client asks. */
const KEPT_FOR_PROOF = 10

const SOON_MS = [1000, 5000, 30_000] as const
/** Where nothing can be searched for, a retry finds nothing new for as long as the record is kept. */
export const NOTHING_TO_SEARCH_MS = 3_600_000
const LATER_MS = [60_000, 120_000, 300_000, 600_000, 900_000] as const
/** A client that comes when it was told to is never too early, however clocks are read. */
const PUNCTUALITY_MS = 250
/** Instances read the clock of one store so much apart; what is dated further ahead was dated before the clock jumped back. */
const APART_MS = 2000

const NOTHING: SearchState = { isFirstSpan: true, reads: 0, looks: 0 }

/** What a record begins with: by what CometChat's clock shows now, older messages can be told. */
export function startOfSearch(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : writeSearch({ ...NOTHING, sinceMs: timeMs })
}

/**
 * Books reads for a look before it is made, so that one that never ends is counted, too. `quietRestMs` is how long the reply
 * may still be posted.
 */
export function bookLook(state: SearchState, time: StoreTime, quietRestMs: number, lookMs: number): Booking {
  const restMs = restOfWait(state, time.nowMs)
  if (restMs > PUNCTUALITY_MS) return { waitMs: state.isLooking ? Math.min(SOON_MS[0], restMs) : restMs }
  const span = spanAt(state, time)
  const leftReads = readsFor(quietRestMs) - span.reads
  if (leftReads <= 0) return { waitMs: restUntilReads(span, time, quietRestMs) }
  const early = EARLY_READS[Math.min(state.looks, EARLY_READS.length - 1)] ?? READS_A_LOOK
  const maxReads = Math.min(leftReads, quietRestMs > 0 ? early : READS_A_LOOK)
  const booked = { reads: span.reads + maxReads, lookedAtMs: time.nowMs, waitMs: lookMs, isLooking: true }
  return { maxReads, state: { ...span, ...booked } }
}

/** How many reads of a span there are for a look. */
function readsFor(quietRestMs: number): number {
  return quietRestMs > 0 ? READS_A_SPAN - KEPT_FOR_PROOF : READS_A_SPAN
}

/** How long there are none: until those of the next span, or those that are kept for a proof. */
function restUntilReads(span: SearchState, time: StoreTime, quietRestMs: number): number {
  const restMs = restOfSpan(span, time)
  return quietRestMs > 0 && span.reads < READS_A_SPAN ? Math.min(quietRestMs, restMs) : restMs
}

/** Never longer than the wait that was said, whatever the clock has done since; after a jump ahead it is over early. */
function restOfWait({ lookedAtMs = 0, waitMs = 0 }: SearchState, nowMs: number): number {
  const elapsedMs = nowMs - lookedAtMs
  return elapsedMs < -APART_MS ? 0 : waitMs - Math.max(0, elapsedMs)
}

export interface LookResult {
  readonly bookedReads: number
  readonly reads: number
  /** True where the reply will be sent anew: then the next search begins anew, too. */
  readonly isAbsent: boolean
  /** How long the reply may still be posted. */
  readonly quietRestMs: number
  readonly memory?: ThreadMemory | undefined
  readonly owner: string
}

/** What is remembered after a look, and how long the next one has to wait. */
export function settleLook(state: SearchState, time: StoreTime, result: LookResult) {
  const { bookedReads, reads, isAbsent, quietRestMs, memory, owner } = result
  const waitMs = isAbsent ? 0 : waitAfter(state.looks + 1, quietRestMs)
  const looks = isAbsent ? 0 : looksAfter(state.looks, quietRestMs)
  const settled: SearchState = {
    ...state,
    reads: Math.max(0, state.reads - bookedReads) + reads,
    looks,
    lookedAtMs: time.nowMs,
    waitMs,
    isLooking: false,
    ...(memory && { memory, memoryOf: owner })
  }
  const isSpent = settled.reads >= readsFor(quietRestMs)
  return { state: settled, waitMs: isSpent ? Math.max(waitMs, restUntilReads(settled, time, quietRestMs)) : waitMs }
}

/** One that can prove nothing does not make the waits between those that can any longer. */
function looksAfter(looks: number, quietRestMs: number): number {
  return quietRestMs > 0 ? Math.min(looks + 1, SOON_MS.length) : looks + 1
}

/** 1 s, 5 s, 30 s, the end of the quiet period, then minutes. */
function waitAfter(looks: number, quietRestMs: number): number {
  const soonMs = SOON_MS[looks - 1]
  if (quietRestMs > 0) return Math.min(soonMs ?? quietRestMs, quietRestMs)
  return soonMs ?? LATER_MS[Math.min(looks - SOON_MS.length, LATER_MS.length) - 1] ?? SPAN_MS
}

function spanAt(state: SearchState, time: StoreTime): SearchState & { readonly spanAtMs: number } {
  const { nowMs } = time
  const { spanAtMs = nowMs } = state
  // Dated before the clock jumped back: nothing that was read is forgotten.
  if (spanAtMs > nowMs) return { ...state, spanAtMs: nowMs }
  if (restOfSpan({ ...state, spanAtMs }, time) > 0) return { ...state, spanAtMs }
  return { ...state, spanAtMs: nowMs, isFirstSpan: false, reads: 0 }
}

/** Of its time counts only what is certain: a jump ahead is no time that has passed. */
function restOfSpan(
  { spanAtMs = 0, isFirstSpan }: Pick<SearchState, 'spanAtMs' | 'isFirstSpan'>,
  { nowMs, steadyForMs }: StoreTime
): number {
  return (isFirstSpan ? FIRST_SPAN_MS : SPAN_MS) - Math.min(nowMs - spanAtMs, steadyForMs)
}

/** As a store keeps it. */
export function writeSearch(state: SearchState): string {
  return JSON.stringify(state)
}

/**
 * Reads it back. A store is outside this process: what is not shaped like it is as if nothing were known, but that all
 * reads were made.
 */
export function readSearch(text: string | undefined, nowMs: number): SearchState {
  if (text === undefined) return NOTHING
  const stored = parseJsonText(text)
  return (isObject(stored) ? readState(stored) : undefined) ?? { ...NOTHING, spanAtMs: nowMs, reads: READS_A_SPAN }
}

function readState(stored: JsonObject): SearchState | undefined {
  const { sinceMs, spanAtMs, isFirstSpan, reads, looks, lookedAtMs, waitMs, isLooking, memory, memoryOf } = stored
  const times = readNumbers({ sinceMs, spanAtMs, lookedAtMs, waitMs })
  if (typeof isFirstSpan !== 'boolean' || !isCount(reads) || !isCount(looks) || !times) return undefined
  const place = isObject(memory) && typeof memoryOf === 'string' ? readMemory(memory) : undefined
  return {
    isFirstSpan,
    reads,
    looks,
    ...times,
    ...(isLooking === true && { isLooking }),
    ...(place && typeof memoryOf === 'string' && { memory: place, memoryOf })
  }
}

type Times = Pick<SearchState, 'sinceMs' | 'spanAtMs' | 'lookedAtMs' | 'waitMs'>

/** Without those that are not there; undefined when one is something else than a number. */
function readNumbers(members: Readonly<Record<keyof Times, unknown>>): Times | undefined {
  const present = Object.entries(members).filter(([, value]) => value !== undefined)
  const areNumbers = present.every((entry): entry is [string, number] => Number.isFinite(entry[1]))
  return areNumbers ? Object.fromEntries(present) : undefined
}

function readMemory({ paging, id, sentAt, offset, hasSuspect }: JsonObject): ThreadMemory | undefined {
  if (paging !== 'cursor' && paging !== 'page') return undefined
  if (id !== undefined && typeof id !== 'string') return undefined
  if (!isOptionalCount(sentAt) || !isOptionalCount(offset)) return undefined
  return {
    paging,
    ...(id !== undefined && { id }),
    ...(sentAt !== undefined && { sentAt }),
    ...(offset !== undefined && { offset }),
    ...(hasSuspect === true && { hasSuspect })
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isOptionalCount(value: unknown): value is number | undefined {
  return value === undefined || isCount(value)
}
