// What the windows of one kind have in common: what slows the machine down for a while is in few of them.
import type { Call } from './callers.ts'
import { medianOf, p99Of } from './rounds.ts'

export interface Typical {
  readonly p50Ms: number
  readonly p99Ms: number
}

/** The medians of what each window has. */
export function typicalOf(calls: readonly Call[]): Typical {
  const windows = Object.values(Object.groupBy(calls, ({ window }) => window)).map(of =>
    (of ?? []).map(({ tookMs }) => tookMs)
  )
  return { p50Ms: medianOf(windows.map(medianOf)), p99Ms: medianOf(windows.map(p99Of)) }
}
