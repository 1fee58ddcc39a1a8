/** How many messages are asked for at once: fewer where pages are too large to be read, and more again behind them. */
export class PageSizes {
  readonly #sizes: readonly [number, ...number[]]
  readonly #maxPageBytes: number
  #index = 0
  #limit = Number.POSITIVE_INFINITY

  constructor(sizes: readonly [number, ...number[]], maxPageBytes: number) {
    this.#sizes = sizes
    this.#maxPageBytes = maxPageBytes
  }

  get largest(): number {
    return this.#sizes[0]
  }

  get current(): number {
    return Math.min(this.#sizes[this.#index] ?? 1, this.#limit)
  }

  /** CometChat gives no more than this at once; learned from pages that were shorter than asked for. */
  limit(size: number): void {
    this.#limit = size
  }

  /** False where a page had one message only. */
  shrinkBelow(size: number): boolean {
    if (size <= 1) return false
    this.#index = this.#sizes.findIndex(smaller => smaller < size)
    return true
  }

  growAfter(size: number, bytes: number): void {
    const larger = this.#sizes[this.#index - 1]
    if (larger !== undefined && this.fits(larger, size, bytes)) this.#index--
  }

  /** Whether a page of so many messages can be read, as long as they are as large as these. */
  fits(larger: number, size: number, bytes: number): boolean {
    return (bytes * larger) / Math.max(1, size) <= this.#maxPageBytes
  }
}
