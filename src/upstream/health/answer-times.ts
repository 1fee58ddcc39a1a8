/** A sixteenth of a millisecond is the finest that is told apart. */
const UNITS_PER_MS = 16
const MAX_UNITS = 2 ** 31 - 1
const BUCKETS = 128

/**
 * How long answers took, as counts in buckets that are a quarter of a power of two wide: a quantile is never too low,
 * and at most 25 % too high.
 */
export class AnswerTimes {
  readonly #counts = new Uint32Array(BUCKETS)
  #total = 0

  get total(): number {
    return this.#total
  }

  add(tookMs: number): void {
    const bucket = bucketOf(tookMs)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#total++
  }

  clear(): void {
    this.#counts.fill(0)
    this.#total = 0
  }

  /** The time within which this share of all answers came, in milliseconds; those of `others` count, too. */
  quantile(share: number, others?: AnswerTimes): number {
    const rank = Math.ceil((this.#total + (others?.total ?? 0)) * share)
    let counted = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      counted += (this.#counts[bucket] ?? 0) + (others ? (others.#counts[bucket] ?? 0) : 0)
      if (counted >= rank && counted > 0) return upperMs(bucket)
    }
    return 0
  }
}

/** The place of the highest bit, and the two bits after it. */
function bucketOf(tookMs: number): number {
  const units = Math.max(4, Math.min(MAX_UNITS, Math.ceil(tookMs * UNITS_PER_MS)))
  const power = 31 - Math.clz32(units)
  return (power << 2) | ((units >> (power - 2)) & 3)
}

function upperMs(bucket: number): number {
  const power = bucket >> 2
  return ((5 + (bucket & 3)) * 2 ** (power - 2)) / UNITS_PER_MS
}

const GENERATION_MS = 5000
const RECOMPUTED_EVERY_MS = 100
/** With fewer answers the slowest one alone would decide. */
const ENOUGH = 20

/** The time within which 99 % of the answers of the last five to ten seconds came. */
export class RecentP99 {
  #younger = new AnswerTimes()
  #older = new AnswerTimes()
  #rotatesAtMs = 0
  #recomputesAtMs = 0
  #valueMs: number | undefined

  add(tookMs: number, nowMs: number): void {
    this.#rotate(nowMs)
    this.#younger.add(tookMs)
  }

  /** In milliseconds; undefined while there are too few answers to say so. */
  valueMs(nowMs: number): number | undefined {
    if (nowMs < this.#recomputesAtMs) return this.#valueMs
    this.#recomputesAtMs = nowMs + RECOMPUTED_EVERY_MS
    this.#rotate(nowMs)
    const isEnough = this.#younger.total + this.#older.total >= ENOUGH
    this.#valueMs = isEnough ? this.#younger.quantile(0.99, this.#older) : undefined
    return this.#valueMs
  }

  #rotate(nowMs: number): void {
    if (nowMs < this.#rotatesAtMs) return
    const isOld = nowMs >= this.#rotatesAtMs + GENERATION_MS
    const cleared = this.#older
    this.#older = this.#younger
    this.#younger = cleared
    cleared.clear()
    if (isOld) this.#older.clear()
    this.#rotatesAtMs = nowMs + GENERATION_MS
  }
}
