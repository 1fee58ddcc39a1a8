import { randomBytes } from 'node:crypto'
import { networkOf } from '../lib/network.ts'
import { hash32 } from './hash.ts'

export interface DoorOptions {
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number
  /** Failures of one network in a minute, after which its credentials are checked without asking anybody; 0 for any. */
  readonly failuresPerMinute: number
  /** Requests of one network in a minute; 0 for any. */
  readonly requestsPerMinute: number
}

/** How an address stands at the door. */
export interface Standing {
  /** Too many of its requests have failed. */
  readonly hasFailed: boolean
  /** It has made too many requests. */
  readonly isOver: boolean
  /** When neither is so any more, in milliseconds; 0 when it is not now. */
  readonly waitMs: number
}

const MINUTE_MS = 60_000
const SETS = 16_384
const WAYS = 8
const ENTRIES = SETS * WAYS
const FREE: Standing = { hasFailed: false, isOver: false, waitMs: 0 }
const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/i

/**
 * Counts the requests and the failures of each network, in a table of fixed size (3 MiB). A minute is counted as this one
 * and what is left of the one before. A network that finds no place takes that of the least busy one of its set, so a
 * million addresses push out each other before they push out one that has failed a hundred times.
 */
export class Door {
  readonly #options: DoorOptions
  /** So that nobody outside knows which networks share a set. */
  readonly #seeds = new Uint32Array(randomBytes(8).buffer.slice(0, 8))
  readonly #names = new Uint32Array(ENTRIES)
  readonly #minutes = new Uint32Array(ENTRIES)
  readonly #requests = new Uint32Array(ENTRIES)
  readonly #formerRequests = new Uint32Array(ENTRIES)
  readonly #failures = new Uint32Array(ENTRIES)
  readonly #formerFailures = new Uint32Array(ENTRIES)

  constructor(options: DoorOptions) {
    this.#options = options
  }

  /** Memory of the table, in bytes. */
  get bytes(): number {
    return 6 * ENTRIES * Uint32Array.BYTES_PER_ELEMENT
  }

  /** A request has come: counted as long as it is within the limits. Loopback has no ceiling. */
  enter(address: string): Standing {
    const { failuresPerMinute, requestsPerMinute, monotonic } = this.#options
    const nowMs = monotonic()
    const entry = this.#entryOf(address, nowMs)
    const part = 1 - (nowMs % MINUTE_MS) / MINUTE_MS
    const failures = at(this.#failures, entry) + part * at(this.#formerFailures, entry)
    const requests = at(this.#requests, entry) + part * at(this.#formerRequests, entry)
    const hasFailed = failuresPerMinute > 0 && failures >= failuresPerMinute
    const isOver = requestsPerMinute > 0 && requests >= requestsPerMinute && !LOOPBACK.test(address)
    // A request that is refused is not counted: who goes on is let in as often as the limit says, not never.
    if (!isOver) this.#requests[entry] = at(this.#requests, entry) + 1
    if (!hasFailed && !isOver) return FREE
    const waitMs = Math.max(
      hasFailed ? waitOf(this.#failures, this.#formerFailures, entry, failuresPerMinute, nowMs) : 0,
      isOver ? waitOf(this.#requests, this.#formerRequests, entry, requestsPerMinute, nowMs) : 0
    )
    return { hasFailed, isOver, waitMs }
  }

  /** A request of this address has failed. */
  noteFailure(address: string): void {
    const entry = this.#entryOf(address, this.#options.monotonic())
    this.#failures[entry] = at(this.#failures, entry) + 1
  }

  #entryOf(address: string, nowMs: number): number {
    const minute = Math.floor(nowMs / MINUTE_MS) + 1
    const network = networkOf(address)
    const name = hash32(network, at(this.#seeds, 0)) || 1
    const first = (hash32(network, at(this.#seeds, 1)) % SETS) * WAYS
    let place = first
    for (let entry = first; entry < first + WAYS; entry++) {
      if (this.#names[entry] === name) {
        this.#turn(entry, minute)
        return entry
      }
      if (this.#weightOf(entry, minute) < this.#weightOf(place, minute)) place = entry
    }
    this.#names[place] = name
    this.#minutes[place] = minute
    for (const counts of [this.#requests, this.#formerRequests, this.#failures, this.#formerFailures]) counts[place] = 0
    return place
  }

  /** What would be lost with an entry: nothing with one of two minutes ago. */
  #weightOf(entry: number, minute: number): number {
    const age = minute - at(this.#minutes, entry)
    if (this.#names[entry] === 0 || age > 1) return -1
    const now = at(this.#requests, entry) + 1000 * at(this.#failures, entry)
    return age === 1 ? now : now + at(this.#formerRequests, entry) + 1000 * at(this.#formerFailures, entry)
  }

  #turn(entry: number, minute: number): void {
    const age = minute - at(this.#minutes, entry)
    if (age === 0) return
    this.#formerRequests[entry] = age === 1 ? at(this.#requests, entry) : 0
    this.#formerFailures[entry] = age === 1 ? at(this.#failures, entry) : 0
    this.#requests[entry] = 0
    this.#failures[entry] = 0
    this.#minutes[entry] = minute
  }
}

export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address)
}

/** When what is counted has fallen below the limit. */
function waitOf(counts: Uint32Array, formers: Uint32Array, entry: number, limit: number, nowMs: number): number {
  const count = at(counts, entry)
  const former = at(formers, entry)
  const intoMs = nowMs % MINUTE_MS
  // In this minute what is left of the one before fades: count + former × (1 − part) < limit.
  const fadedAtMs = MINUTE_MS * (1 - (limit - count) / Math.max(1, former))
  if (count < limit && fadedAtMs < MINUTE_MS) return Math.max(1, fadedAtMs - intoMs + 1)
  // Else this one fades in the next.
  return MINUTE_MS - intoMs + Math.max(0, MINUTE_MS * (1 - limit / Math.max(1, count))) + 1
}

function at(array: Uint32Array, index: number): number {
  return array[index] ?? 0
}
