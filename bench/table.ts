// What the rounds come to, as the table of docs/delivery.md.
import type { Cost } from './rounds.ts'
import type { Variant } from './variants.ts'

const HEAD = ['records', 'key', 'µs CPU per reply', 'spread', 'ratio']

/** A Markdown table: medians, from the least to the most of the rounds, and against no records for the same replies. */
export function tableOf(costs: readonly Cost[]): string {
  const rows = costs.map(({ variant: { store, keyed }, figures }) => {
    const median = medianOf(figures)
    const spread = `${Math.min(...figures).toFixed(0)}–${Math.max(...figures).toFixed(0)}`
    return [store, keyed ? 'yes' : 'no', median.toFixed(0), spread, (median / baseOf(costs, keyed)).toFixed(2)]
  })
  return [HEAD, HEAD.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |\n`).join('')
}

function baseOf(costs: readonly Cost[], keyed: Variant['keyed']): number {
  const base = costs.find(({ variant }) => variant.store === 'no records' && variant.keyed === keyed)
  return medianOf(base?.figures ?? [])
}

function medianOf(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(half) - 1, Math.floor(half) + 1)
  return (low + high) / 2
}
