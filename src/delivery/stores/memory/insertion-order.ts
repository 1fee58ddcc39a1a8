/** What stands in such an order, in one at a time. */
export interface Ordered<T> {
  older: T | undefined
  newer: T | undefined
}

/**
 * Records in the order in which they were added, at the same cost for a million as for one. A Map has the order too,
 * but what is deleted at its front is skipped again by everybody who looks for the oldest.
 */
export class InsertionOrder<T extends Ordered<T>> {
  #oldest: T | undefined
  #newest: T | undefined

  get oldest(): T | undefined {
    return this.#oldest
  }

  add(one: T): void {
    one.older = this.#newest
    if (this.#newest) this.#newest.newer = one
    else this.#oldest = one
    this.#newest = one
  }

  remove(one: T): void {
    if (one.older) one.older.newer = one.newer
    else this.#oldest = one.newer
    if (one.newer) one.newer.older = one.older
    else this.#newest = one.older
    one.older = undefined
    one.newer = undefined
  }

  clear(): void {
    this.#oldest = undefined
    this.#newest = undefined
  }
}
