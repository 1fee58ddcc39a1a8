import type { Family, Labels } from './family.ts'
import { type Label, labelsAt, MOST_VALUES } from './label.ts'

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

/** Distributions by closed lists, in arrays: a library's histogram hashes its labels at each call, ten times as slow. */
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
