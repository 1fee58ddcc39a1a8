import type { Row } from '../../../postgres/connection.ts'

type AskPage = (values: readonly [after: string, count: number]) => Promise<readonly Row[]>

const EVERY_MS = 1000
const ON_AFTER_MS = 20
/** Rows that are looked at in one go: a millisecond or two of the server. */
const PAGE = 1000
/** So many expired ones in a page, and more are looked for at once. */
const MANY = PAGE / 20

/**
 * Forgets what has expired by a walk through all records, a page at a time: an index on a date that every transition
 * changes would cost each of them more.
 */
export class ExpiryWalk {
  readonly #ask: AskPage
  #timer: NodeJS.Timeout | undefined
  #walkedTo = ''

  /** `ask` runs the statement `walk`. */
  constructor(ask: AskPage) {
    this.#ask = ask
    this.#walkIn(EVERY_MS)
  }

  /** Forgets what has expired of the next page; says whether much of it had. */
  async page(): Promise<boolean> {
    const [{ last, seen, gone } = {}] = await this.#ask([this.#walkedTo, PAGE])
    this.#walkedTo = seen === PAGE && typeof last === 'string' ? last : ''
    return Number(gone) >= MANY
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #walkIn(ms: number): void {
    this.#timer = setTimeout(async () => {
      // While Postgres is away the next round is soon enough.
      const hasFoundMany = await this.page().catch(() => false)
      if (this.#timer) this.#walkIn(hasFoundMany ? ON_AFTER_MS : EVERY_MS)
    }, ms).unref()
  }
}
