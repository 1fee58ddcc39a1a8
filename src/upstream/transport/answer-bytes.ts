import type { Ledger } from '../../lib/service/ledger.ts'
import type { UpstreamFailure, UpstreamRequest } from './exchange-types.ts'

/** A message of 65,536 characters takes 768 KiB where each is escaped as a pair; CometChat may tell it twice. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024
/** The code of an answer that is longer than its request allows. */
export const ANSWER_TOO_LARGE = 'ANSWER_TOO_LARGE'
/** Of one for which there is no room beside the others that are being read, or beside the others of this user. */
const NO_ROOM = 'NO_ROOM_FOR_ANSWER'
/** What CometChat answered, and this service did not want to read to its end: its fault is neither. */
export const isUnwanted = ({ errorCode }: UpstreamFailure): boolean =>
  errorCode === ANSWER_TOO_LARGE || errorCode === NO_ROOM
/** An answer that may be larger than usual counts from there on. */
const UNCOUNTED_BYTES = 256 * 1024
/**
 * Pages of a thread may be large, and many are read at a time: together, and an eighth of it for one user, whose reads would
 * otherwise take all the memory there is.
 */
export const ROOM_FOR_LARGE_ANSWERS_BYTES = 64 * 1024 * 1024

/** How much of an answer has come, and whether more of it may be held. */
export class AnswerBytes {
  readonly #request: UpstreamRequest
  readonly #room: Ledger
  #bytes = 0
  #booked = 0

  constructor(request: UpstreamRequest, room: Ledger) {
    this.#request = request
    this.#room = room
  }

  /** Why it is read no further; undefined where it is. */
  add(bytes: number): typeof ANSWER_TOO_LARGE | typeof NO_ROOM | undefined {
    const { maxAnswerBytes = MAX_ANSWER_BYTES } = this.#request
    this.#bytes += bytes
    if (this.#bytes > maxAnswerBytes) return ANSWER_TOO_LARGE
    // What became of a message is read in any case.
    if (maxAnswerBytes <= MAX_ANSWER_BYTES || this.#bytes <= UNCOUNTED_BYTES) return undefined
    const more = this.#bytes - UNCOUNTED_BYTES - this.#booked
    if (!this.#room.book(this.#request.chargedTo, more)) return NO_ROOM
    this.#booked += more
    return undefined
  }

  free(): void {
    if (this.#booked > 0) this.#room.free(this.#request.chargedTo, this.#booked)
    this.#booked = 0
  }
}
