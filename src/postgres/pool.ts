import type { PostgresConnection } from './connection.ts'

interface Waiting {
  readonly give: (connection: PostgresConnection) => void
  readonly fail: (error: unknown) => void
}

/** Connections that take turns; work that finds none free waits for one. */
export class Pool {
  readonly #open = new Set<PostgresConnection>()
  readonly #idle: PostgresConnection[] = []
  readonly #waiting: Waiting[] = []

  get size(): number {
    return this.#open.size
  }

  add(connection: PostgresConnection): void {
    this.#open.add(connection)
    this.#giveBack(connection)
  }

  async use<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const connection = this.#idle.pop() ?? (await this.#wait())
    try {
      return await work(connection)
    } finally {
      this.#giveBack(connection)
    }
  }

  /** False for one that is not in it. */
  remove(connection: PostgresConnection): boolean {
    const index = this.#idle.indexOf(connection)
    if (index >= 0) this.#idle.splice(index, 1)
    return this.#open.delete(connection)
  }

  /** What is under way, and what waits, is rejected. */
  empty(reason: unknown): void {
    for (const connection of this.#open) {
      this.remove(connection)
      connection.close(reason instanceof Error ? reason : undefined)
    }
    for (const { fail } of this.#waiting.splice(0)) fail(reason)
  }

  #wait(): Promise<PostgresConnection> {
    return new Promise((give, fail) => void this.#waiting.push({ give, fail }))
  }

  #giveBack(connection: PostgresConnection): void {
    if (!this.#open.has(connection)) return
    const next = this.#waiting.shift()
    if (next) next.give(connection)
    else this.#idle.push(connection)
  }
}
