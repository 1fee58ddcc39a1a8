import type { Family, Labels } from './family.ts'
import { type Label, labelsAt, MOST_VALUES } from './label.ts'

export interface CounterOptions {
  /** It ends in `_total`. */
  readonly name: string
  readonly help: string
  /** Two at most. */
  readonly labels: readonly [Label] | readonly [Label, Label]
  /** The series that are there before anything happened: the first time would otherwise be no increase. */
  readonly known: readonly (readonly [string, string?])[]
}

/** Counts by closed lists, in an array: a library's counter hashes its labels at each call, five times as slow. */
export class Counter {
  readonly #options: CounterOptions
  readonly #counts: Float64Array
  /** By place in the array. */
  readonly #shown = new Map<number, Labels>()

  constructor(options: CounterOptions) {
    this.#options = options
    this.#counts = new Float64Array(options.labels.length === 1 ? MOST_VALUES : MOST_VALUES * MOST_VALUES)
    for (const [first, second] of options.known) this.add(0, first, second)
  }

  add(times: number, first: string | undefined, second?: string): void {
    const [one, other] = this.#options.labels
    const place = other ? one.placeOf(first) * MOST_VALUES + other.placeOf(second) : one.placeOf(first)
    this.#counts[place] = (this.#counts[place] ?? 0) + times
    if (!this.#shown.has(place)) this.#show(place)
  }

  family(): Family {
    const { name, help } = this.#options
    const samples = Array.from(this.#shown, ([place, labels]) => ({ labels, value: this.#counts[place] ?? 0 }))
    return { name, help, type: 'counter', samples }
  }

  #show(place: number): void {
    const { labels } = this.#options
    const places = labels.length === 1 ? [place] : [Math.floor(place / MOST_VALUES), place % MOST_VALUES]
    this.#shown.set(place, labelsAt(labels, places))
  }
}
