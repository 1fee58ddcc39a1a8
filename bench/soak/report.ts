// What a soak has to reach, and what it has.
import { number } from '../report.ts'
import { medianOf } from '../rounds.ts'
import { partsOf, residentSlope, type Stretch } from './figures.ts'
import type { Soak } from './run-soak.ts'

export interface Finding {
  readonly what: string
  readonly isReached: boolean
}

const MAX_RESIDENT_SLOPE_MB = 1
/** Below that nothing can be said of a million. */
const ENOUGH_REPLIES = 100_000
const MAX_TABLE_RATIO = 2
/** A table begins with a few pages. */
const SMALL_TABLE_BYTES = 1_000_000
/** What the last quarter may be slower by. */
const FLAT = 1.5
const QUARTERS = 4
const MIB = 1024 * 1024

export function totalOf(stretches: readonly Stretch[]): { readonly replies: number; readonly failed: number } {
  const sum = (of: (stretch: Stretch) => number): number => stretches.reduce((total, stretch) => total + of(stretch), 0)
  const failedIn = ({ failures }: Stretch): number => Object.values(failures).reduce((total, count) => total + count, 0)
  return { replies: sum(({ replies }) => replies), failed: sum(failedIn) }
}

/** Its quarters side by side: medians of their stretches, and what there was at their ends. */
export function tableOf({ stretches, hardship }: Soak): string {
  const quarters = partsOf(stretches, QUARTERS).filter(part => part.length > 0)
  const median = (of: (stretch: Stretch) => number): string[] => quarters.map(part => number(medianOf(part.map(of))))
  const atEnd = (of: (stretch: Stretch) => number): string[] =>
    quarters.map(part => number(Math.max(...part.slice(-1).map(of))))
  const tables = stretches.at(-1)?.tables ?? []
  const sizeOf = (of: string, size: 'bytes' | 'liveBytes') =>
    atEnd(stretch => (stretch.tables.find(({ table }) => table === of)?.[size] ?? 0) / MIB)
  const rows = [
    ['until', ...quarters.map(part => `${part.at(-1)?.atSeconds.toFixed(0)} s`)],
    ['replies', ...quarters.map(part => totalOf(part).replies.toLocaleString('en-US'))],
    ['failed', ...quarters.map(part => String(totalOf(part).failed))],
    ['p50 ms', ...median(({ p50Ms }) => p50Ms)],
    ['p99 ms', ...median(({ p99Ms }) => p99Ms)],
    ['p99 of the claim, ms', ...median(({ claimP99Ms }) => claimP99Ms)],
    ['CPU µs of a reply', ...median(({ cpuMicroseconds }) => cpuMicroseconds)],
    ['resident MiB', ...atEnd(({ residentMiB }) => residentMiB)],
    ...tables.flatMap(({ table }) => [
      [`${table}, MiB`, ...sizeOf(table, 'bytes')],
      ['of it live', ...sizeOf(table, 'liveBytes')]
    ])
  ]
  const lines = rows.map(
    ([name = '', ...cells]) => `${name.padEnd(24)}${cells.map(cell => cell.padStart(12)).join('')}`
  )
  return `${hardship === undefined ? '' : `All the while ${hardship}.\n`}${lines.join('\n')}\n`
}

export function findingsOf(soak: Soak): Finding[] {
  const { stretches, unheardPosts, faultPercent } = soak
  const { replies, failed } = totalOf(stretches)
  const kinds = [...new Set(stretches.flatMap(({ failures }) => Object.keys(failures)))].join(', ')
  const told = `${failed} of ${replies.toLocaleString('en-US')} replies failed${kinds === '' ? '' : ` (${kinds})`}`
  return [
    ...(faultPercent === 0
      ? [
          { what: told, isReached: replies > 0 && failed === 0 },
          { what: `${unheardPosts} posts of which nobody was told`, isReached: unheardPosts === 0 }
        ]
      : faultFindings(soak, told)),
    ...flatness(stretches),
    ...tableFindings(stretches),
    ...residentFindings(stretches, replies)
  ]
}

/** Whoever fails is told what became of the reply, and none is told that it was not sent when it was. */
function faultFindings({ stretches, unheardPosts, faultPercent }: Soak, told: string): Finding[] {
  const { replies } = totalOf(stretches)
  const failures = stretches.flatMap(stretch => Object.entries(stretch.failures))
  const countOf = (fits: (kind: string) => boolean): number =>
    failures.reduce((sum, [kind, count]) => sum + (fits(kind) ? count : 0), 0)
  const untold = countOf(kind => kind === 'no answer' || kind.startsWith('500'))
  const unknown = countOf(kind => kind.endsWith(' unknown'))
  const isUnderFaults = unknown > 0 && unknown < (2 * replies * faultPercent) / 100
  return [
    { what: `${told}, with ${faultPercent} % of faults at CometChat`, isReached: isUnderFaults },
    { what: `${untold} without an answer, or by a bug`, isReached: untold === 0 },
    {
      what: `${unheardPosts} posts told as unknown, of ${unknown} that were`,
      isReached: unheardPosts >= 0 && unheardPosts <= unknown
    }
  ]
}

function flatness(stretches: readonly Stretch[]): Finding[] {
  const quarters = partsOf(stretches, QUARTERS).map(part => medianOf(part.map(({ claimP99Ms }) => claimP99Ms)))
  const [first = 0, last = 0] = [quarters[0], quarters.at(-1)]
  if (!(first > 0 && last > 0)) return []
  const what = `p99 of the claim: ${number(first)} ms in the first quarter, ${number(last)} ms in the last`
  return [{ what, isReached: last <= FLAT * first }]
}

function tableFindings(stretches: readonly Stretch[]): Finding[] {
  const { bytes = 0, liveBytes = 0 } = stretches.at(-1)?.tables.find(({ table }) => table === 'records') ?? {}
  if (liveBytes < SMALL_TABLE_BYTES) return []
  const ratio = bytes / liveBytes
  return [{ what: `records take ${number(ratio)} × what lives in them`, isReached: ratio <= MAX_TABLE_RATIO }]
}

function residentFindings(stretches: readonly Stretch[], replies: number): Finding[] {
  if (replies < ENOUGH_REPLIES) return []
  const slope = residentSlope(stretches)
  return [
    { what: `resident ${number(slope)} MB more with a million replies`, isReached: slope < MAX_RESIDENT_SLOPE_MB }
  ]
}
