export interface BatchesOptions<Item, Answer> {
  readonly keyOf: (item: Item) => string
  /** Runs one statement for all of them, which have different keys and are in their order; an answer each, in it, too. */
  readonly run: (items: readonly Item[]) => Promise<readonly Answer[]>
}

interface Waiting<Item, Answer> {
  readonly item: Item
  readonly key: string
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** Bounds for how long rows are locked, and for what one failure fails. */
const MAX_AT_ONCE = 256

/**
 * What is asked for in one turn of the event loop is one statement, and one commit: of single ones each would wait for the
 * disk. While one is out the next gathers. No statement has a key twice, which Postgres refuses, and all have them
 * in the same order, or two processes would wait for each other.
 */
export class Batches<Item, Answer> {
  readonly #options: BatchesOptions<Item, Answer>
  #waiting: Waiting<Item, Answer>[] = []
  #isOut = false

  constructor(options: BatchesOptions<Item, Answer>) {
    this.#options = options
  }

  /** Rejects with all others of its batch when it may or may not have happened. */
  ask(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, key: this.#options.keyOf(item), resolve, reject })
      if (this.#waiting.length === 1 && !this.#isOut) setImmediate(() => void this.#runAll())
    })
  }

  async #runAll(): Promise<void> {
    if (this.#isOut) return
    this.#isOut = true
    while (this.#waiting.length > 0) await this.#runNext()
    this.#isOut = false
  }

  async #runNext(): Promise<void> {
    const batch = this.#takeBatch()
    try {
      const answers = await this.#options.run(batch.map(({ item }) => item))
      for (const [index, { resolve, reject }] of batch.entries()) {
        const answer = answers[index]
        if (answer === undefined) reject(new Error('Postgres has not answered for this one'))
        else resolve(answer)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  /** Sorted by key; what has a key that is in it already stays. */
  #takeBatch(): Waiting<Item, Answer>[] {
    const batch = new Map<string, Waiting<Item, Answer>>()
    const left: Waiting<Item, Answer>[] = []
    for (const one of this.#waiting) {
      if (batch.size < MAX_AT_ONCE && !batch.has(one.key)) batch.set(one.key, one)
      else left.push(one)
    }
    this.#waiting = left
    return [...batch.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  }
}
