// What a query of Prometheus names: metrics, with the labels and values that are asked for.

export interface Selector {
  readonly metric: string
  readonly matchers: readonly Matcher[]
}

interface Matcher {
  readonly label: string
  readonly values: readonly string[]
}

/** Each metric with the labels that it has, and their values. */
export type Known = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>

/** Labels that Prometheus adds. */
const ADDED = ['job', 'instance']
/** Of what has not happened there is no series; docs/metrics.md lists the values. */
const OPEN_LABELS = ['error_type']
/** A metric has an underscore or a colon, but for one, and is no function. */
const SELECTOR = /\b(records|[a-z]+(?:[_:][a-z0-9_:]+)+)\b(?!\s*\()(?:\{([^}]*)\})?/g
const MATCHER = /([a-z_]+)\s*(?:=~|!=|!~|=)\s*"([^"]*)"/g
const GROUPING = /\b(?:by|without|on|ignoring) ?\(([^)]*)\)/g

export function selectorsIn(query: string): Selector[] {
  return Array.from(query.replaceAll(GROUPING, ' ').matchAll(SELECTOR), ([, metric = '', inner = '']) => ({
    metric,
    matchers: Array.from(inner.matchAll(MATCHER), ([, label = '', values = '']) => ({
      label,
      values: values.split('|')
    }))
  }))
}

/** From the names of series with their labels: `a_total{x="1"}`. */
export function knownFrom(series: Iterable<string>): Known {
  const known = new Map<string, Map<string, Set<string>>>()
  for (const one of series) {
    const name = one.replace(/\{.*$/, '')
    const labels = known.get(name) ?? new Map<string, Set<string>>()
    for (const [, label = '', value = ''] of one.matchAll(MATCHER))
      labels.set(label, (labels.get(label) ?? new Set()).add(value))
    known.set(name, labels)
  }
  return known
}

/** What a query names and no series has, in words. */
export function unknownIn(query: string, known: Known): string[] {
  const selectors = selectorsIn(query)
  const groupings = Array.from(query.matchAll(GROUPING), ([, list = '']) => list.split(', ')).flat()
  const has = (label: string): boolean => selectors.some(({ metric }) => known.get(metric)?.has(label))
  return [
    ...selectors.flatMap(selector => unknownOf(selector, known)),
    ...groupings.filter(label => !ADDED.includes(label) && !has(label)).map(label => `by (${label})`)
  ]
}

function unknownOf({ metric, matchers }: Selector, known: Known): string[] {
  const labels = known.get(metric)
  if (!labels) return [metric]
  return matchers
    .filter(({ label }) => !ADDED.includes(label))
    .flatMap(({ label, values }) => {
      const found = labels.get(label)
      if (!found) return [`${metric}{${label}}`]
      const missing = OPEN_LABELS.includes(label) ? [] : values.filter(value => !found.has(value))
      return missing.map(value => `${metric}{${label}="${value}"}`)
    })
}
