// What the stretches of a soak have shown, and what follows from them for the whole of it.

/** Sizes in bytes. */
export interface TableSize {
  readonly table: string
  /** With what lies beside it: long values, and the maps of what is free and visible. */
  readonly bytes: number
  readonly liveBytes: number
}

/** One stretch of a soak. */
export interface Stretch {
  /** Of the soak, in seconds, when it was over. */
  readonly atSeconds: number
  readonly replies: number
  /** Those that were not answered with 201, by status and delivery. */
  readonly failures: Readonly<Record<string, number>>
  readonly p50Ms: number
  readonly p99Ms: number
  /** How long the record took to be claimed, as the service tells it. */
  readonly claimP99Ms: number
  /** CPU time of the service, of each reply. */
  readonly cpuMicroseconds: number
  readonly residentMiB: number
  readonly tables: readonly TableSize[]
}

/** How much `y` grows with each `x`, by least squares. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanX, meanY] = [meanOf(points.map(([x]) => x)), meanOf(points.map(([, y]) => y))]
  const varianceX = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / varianceX
}

/** In as many parts of equal length, the last ones longer where it does not come out even. */
export function partsOf<T>(list: readonly T[], parts: number): T[][] {
  const startOf = (part: number): number => Math.floor((part * list.length) / parts)
  return Array.from({ length: parts }, (_, part) => list.slice(startOf(part), startOf(part + 1)))
}

const MIB_IN_MB = 1.048576
const MILLION = 1_000_000
/** Until then V8 compiles, and caches fill. */
const SETTLED_AFTER = 0.25

/** In MB for a million replies, once the service has settled. */
export function residentSlope(stretches: readonly Stretch[]): number {
  let replies = 0
  const points = stretches.map(stretch => {
    replies += stretch.replies
    return [replies / MILLION, stretch.residentMiB * MIB_IN_MB] as const
  })
  return slopeOf(points.slice(Math.floor(points.length * SETTLED_AFTER)))
}
