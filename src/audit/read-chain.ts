import { groupBy } from '../lib/node20/group-by.ts'
import type { AuditLine } from './chain.ts'

export type BreakKind =
  /** Not a line of an audit file, or one that was cut short. */
  | 'unreadable'
  /** Not sealed by any of the secrets: changed, or written with another secret. */
  | 'altered'
  /** Lines are not there that were. */
  | 'missing'
  /** A line stands where it was not written. */
  | 'out-of-order'
  /** A line stands there twice. */
  | 'repeated'
  /** The log has seen lines after the last one of a chain. */
  | 'cut'
  /** The service itself says that it could not write lines. */
  | 'lost'

export interface Break {
  readonly kind: BreakKind
  /** Undefined where no line is left to show. */
  readonly place?: Place
  readonly detail: string
}

export interface Place {
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** What the log says of a chain: so many lines, of which the last one has this mac. */
export interface Anchor {
  readonly chain: string
  readonly count: number
  readonly head: string
  /** RFC 3339; when it was written. */
  readonly time: string
}

/** Past so many missing lines at one place they are no longer told apart. */
const MOST_HOLES = 100_000

/** One chain of lines, as far as the files were read. */
export class ReadChain {
  readonly #id: string
  #next: number
  /** Mac of line `next - 1`; undefined where that line cannot be trusted. */
  #head: string | undefined
  /** Numbers that were jumped over and may still turn up, with the line before which they are missing. */
  readonly #holes = new Map<number, Place>()
  #end: 'close' | 'moved' | undefined
  #endTime: string

  /** It begins with this line, which is still to be taken. */
  constructor({ chain, seq, time }: AuditLine) {
    this.#id = chain
    this.#next = seq
    this.#endTime = time
  }

  /** The number of the line that would go on with it. */
  get next(): number {
    return this.#next
  }

  /** Undefined for one that is not finished. */
  get end(): 'close' | 'moved' | undefined {
    return this.#end
  }

  /** Whether the chain goes on with this line; what is wrong with it is added to the breaks. */
  take(line: AuditLine, place: Place, breaks: Break[]): boolean {
    if (!this.#isNext(line, place, breaks)) return false
    this.#next = line.seq + 1
    this.#head = line.mac
    this.#end = line.kind === 'close' || line.kind === 'moved' ? line.kind : undefined
    this.#endTime = line.time
    return true
  }

  /** Its next line is there, but says nothing that can be trusted. */
  passOver(): void {
    this.#next++
    this.#head = undefined
  }

  #isNext({ seq, prev }: AuditLine, place: Place, breaks: Break[]): boolean {
    const id = this.#id
    if (seq < this.#next) {
      const isMissed = this.#holes.delete(seq)
      const detail = `line ${seq} of chain ${id} ${isMissed ? 'stands behind later ones' : 'was there already'}`
      breaks.push({ kind: isMissed ? 'out-of-order' : 'repeated', place, detail })
      return false
    }
    if (seq > this.#next) {
      for (let missing = this.#next; missing < seq && this.#holes.size < MOST_HOLES; missing++) {
        this.#holes.set(missing, place)
      }
    } else if (this.#head !== undefined && this.#head !== prev) {
      breaks.push({ kind: 'altered', place, detail: `the line before it in chain ${id} was another one` })
    }
    return true
  }

  /** At the end of all files: what of it is not there, and what of it the log has seen. */
  judge(anchors: readonly Anchor[], breaks: Break[]): void {
    const [id, next] = [this.#id, this.#next]
    const places = groupBy(this.#holes, ([, place]) => place)
    for (const [place, missing] of places) {
      const [first, last] = [missing[0]?.[0], missing.at(-1)?.[0]]
      const which = first === last ? `line ${first}` : `lines ${first} to ${last}`
      breaks.push({ kind: 'missing', place, detail: `${which} of chain ${id} should stand before it` })
    }
    const beyond = anchors.filter(({ count, time }) => count > next && !(this.#end === 'moved' && time > this.#endTime))
    const last = Math.max(...beyond.map(({ count }) => count))
    if (beyond.length > 0) {
      breaks.push({ kind: 'cut', detail: `chain ${id} ends after ${next} lines, and the log has seen ${last}` })
    }
  }
}
