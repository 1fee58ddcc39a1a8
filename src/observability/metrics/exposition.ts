import { type Gauge, openMetricsContentType, prometheusContentType, Registry } from '@prometheus-io/client'
import type { Format } from './accept.ts'
import type { Family, Labels } from './family.ts'

const CONTENT_TYPES = { openmetrics: openMetricsContentType, prometheus: prometheusContentType } as const

/** One line of the exposition, as the library wants it; `sharedLabels` are written once for all lines of a series. */
interface Line {
  readonly metricName?: string
  readonly labels: Labels
  readonly sharedLabels?: Labels
  readonly value: number
}

export interface Exposition {
  readonly contentType: string
  readonly text: string
}

/** The families as a scraper reads them, in OpenMetrics 1.0 or in the Prometheus text format 0.0.4. */
export async function expose(families: readonly Family[], format: Format): Promise<Exposition> {
  const contentType = CONTENT_TYPES[format]
  const registry = new Registry(contentType)
  for (const family of families) registry.registerMetric(metricOf(family, format))
  return { contentType, text: await registry.metrics() }
}

/** A registry asks a metric for its name and calls its `get()`. The object is a new one each time: it writes on them. */
function metricOf(family: Family, format: Format): Gauge {
  const { help, type } = family
  // OpenMetrics names a counter without the suffix that its lines have (§5.1.2); the library adds it.
  const name = type === 'counter' && format === 'openmetrics' ? family.name.replace(/_total$/, '') : family.name
  const values = family.type === 'histogram' ? linesOf(family) : family.samples
  return { name, help, type, get: async () => ({ name, help, type, values }) } as unknown as Gauge
}

function linesOf({ name, bounds, distributions }: Extract<Family, { type: 'histogram' }>): Line[] {
  const les = [...bounds.map(canonical), '+Inf'].map(le => ({ le }))
  return distributions.flatMap(({ labels: sharedLabels, counts, sum }) => {
    let count = 0
    const buckets = les.map((labels, index) => {
      count += counts[index] ?? 0
      return { metricName: `${name}_bucket`, labels, sharedLabels, value: count }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, sharedLabels, value: sum },
      { metricName: `${name}_count`, labels: {}, sharedLabels, value: count }
    ]
  })
}

/** As OpenMetrics writes a bound, in both formats: otherwise a scraper that changes formats would see other series. */
function canonical(bound: number): string {
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound)
}
