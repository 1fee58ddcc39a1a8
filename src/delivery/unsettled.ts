const MAX_REMEMBERED = 10_000

/**
 * Keyed replies that this process has sent and knows no outcome of: what their records would say.
 * It is asked only while the store cannot be; the oldest goes first.
 */
export class Unsettled {
  readonly #keys = new Set<string>()

  add(key: string): void {
    this.#keys.add(key)
    const oldest = this.#keys.size > MAX_REMEMBERED ? this.#keys.values().next().value : undefined
    if (oldest !== undefined) this.#keys.delete(oldest)
  }

  delete(key: string): void {
    this.#keys.delete(key)
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }
}
