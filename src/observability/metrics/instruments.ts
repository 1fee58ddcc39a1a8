// What counts: labels with closed lists of values, and counts and distributions of them in arrays. A library's counter hashes
// its labels at each call, five times as slow, and its histogram ten times.
import type { Family, Labels } from './family.ts'

/** What stands for every value that is not in the list. */
const OTHER = 'other'
const ABSENT = 0
const OTHER_PLACE = 1
/** As many values as a label may have, these two included. */
export const MOST_VALUES = 64

/** A label and the closed list of its values: whatever comes, it never has another one. */
export class Label {
  readonly name: string
  readonly #values: (string | undefined)[] = [undefined, OTHER]
  readonly #places = new Map<string, number>()

  constructor(name: string, values: readonly string[] = []) {
    this.name = name
    for (const value of values) this.add(value)
  }

  /** Before it is first counted. Throws for one value too many. */
  add(value: string): void {
    if (this.#places.has(value)) return
    if (this.#values.length === MOST_VALUES) throw new Error(`the label ${this.name} has too many values`)
    this.#places.set(value, this.#values.length)
    this.#values.push(value)
  }

  /** From 0 to 63; a label without a value is not there at all. */
  placeOf(value: string | undefined): number {
    return value === undefined ? ABSENT : (this.#places.get(value) ?? OTHER_PLACE)
  }

  valueAt(place: number): string | undefined {
    return this.#values[place]
  }
}

/** The labels of a series whose values have these places. */
function labelsAt(labels: readonly Label[], places: readonly number[]): Labels {
  const found: Record<string, string> = {}
  for (const [index, label] of labels.entries()) {
    const value = label.valueAt(places[index] ?? ABSENT)
    if (value !== undefined) found[label.name] = value
  }
  return found
}

export interface CounterOptions {
  /** It ends in `_total`. */
  readonly name: string
  readonly help: string
  /** Two at most. */
  readonly labels: readonly [Label] | readonly [Label, Label]
  /** The series that are there before anything happened: the first time would otherwise be no increase. */
  readonly known: readonly (readonly [string, string?])[]
}

/** Counts by closed lists. */
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

/** OpenTelemetry's advice for durations of HTTP requests, in seconds. */
export const HTTP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

export interface HistogramOptions {
  /** It ends in a unit. */
  readonly name: string
  readonly help: string
  /** Upper bounds of the buckets, in the order of their size. */
  readonly bounds: readonly number[]
  /** Four at most. */
  readonly labels: readonly Label[]
  readonly maxSeries?: number
}

interface Series {
  readonly labels: Labels
  /** One figure for each bucket, one for what is above all of them, and last the sum. */
  readonly figures: Float64Array
}

/**
 * A series has a line for each bucket, and the lists allow more combinations than a scrape should carry. Those that come
 * when it is full are told together.
 */
const MAX_SERIES = 100
const UNLISTED = '?'

/** Distributions by closed lists. */
export class Histogram {
  readonly #options: HistogramOptions
  readonly #maxSeries: number
  readonly #series = new Map<number, Series>()

  constructor(options: HistogramOptions) {
    this.#options = options
    this.#maxSeries = options.maxSeries ?? MAX_SERIES
  }

  observe(value: number, first?: string, second?: string, third?: string, fourth?: string): void {
    const { figures } = this.#seriesOf(first, second, third, fourth)
    const { bounds } = this.#options
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++
    figures[bucket] = (figures[bucket] ?? 0) + 1
    const last = bounds.length + 1
    figures[last] = (figures[last] ?? 0) + value
  }

  family(): Family {
    const { name, help, bounds } = this.#options
    const distributions = Array.from(this.#series.values(), ({ labels, figures }) => ({
      labels,
      counts: Array.from(figures.subarray(0, -1)),
      sum: figures.at(-1) ?? 0
    }))
    return { name, help, type: 'histogram', bounds, distributions }
  }

  #seriesOf(...values: (string | undefined)[]): Series {
    const { labels } = this.#options
    let key = 0
    for (let index = 0; index < labels.length; index++) {
      key = key * MOST_VALUES + (labels[index]?.placeOf(values[index]) ?? 0)
    }
    const known = this.#series.get(key)
    if (known) return known
    // The last place is kept for all others together.
    if (this.#series.size >= this.#maxSeries - 1 && values.some(value => value !== UNLISTED)) {
      return this.#seriesOf(...labels.map(() => UNLISTED))
    }
    const places = labels.map((label, index) => label.placeOf(values[index]))
    const series = { labels: labelsAt(labels, places), figures: new Float64Array(this.#options.bounds.length + 2) }
    this.#series.set(key, series)
    return series
  }
}
