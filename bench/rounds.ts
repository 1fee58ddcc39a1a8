// Measures several programs side by side: each takes its turn in every round, so that what slows the machine down for a
// while meets all of them.
import type { Child } from './child.ts'
import type { LoadPlan, LoadResult, LoadRun } from './load.ts'
import { cpuMicroseconds, residentMiB } from './process-time.ts'
import type { Subject } from './subjects.ts'

export interface Lane {
  readonly name: string
  readonly subject: Subject
  readonly plan: Omit<LoadPlan, 'port'>
}

export interface Figure extends LoadResult {
  /** Of the program's process, per request. */
  readonly cpuMicroseconds: number
  /** Of the program's process, at the end of the window. */
  readonly residentMiB: number
}

export interface Measured {
  readonly lane: Lane
  readonly figures: readonly Figure[]
}

export interface RoundsOptions {
  readonly outside: Child
  readonly settings: Settings
  /** Requests a second, at random times; as many as the connections take when it is left out. */
  readonly perSecond?: number
}

export interface Settings {
  readonly rounds: number
  readonly windowMs: number
  readonly warmUpMs: number
  readonly stopping: AbortSignal
  readonly onProgress: (text: string) => void
}

/** Throws when an answer was not the right one, or when fewer replies were posted than answered. */
export async function runRounds(lanes: readonly Lane[], options: RoundsOptions): Promise<readonly Measured[]> {
  const { rounds } = options.settings
  const measured = lanes.map(lane => ({ lane, figures: [] as Figure[] }))
  for (let round = 0; round <= rounds; round++) {
    // There and back, so that nobody always comes after the same one.
    for (const { lane, figures } of round % 2 === 0 ? measured : measured.toReversed()) {
      const figure = await takeTurn(lane, round, options)
      if (round > 0) figures.push(figure)
    }
  }
  return measured
}

/** The first round only warms up: V8 compiles what it needs for some ten thousand replies. */
function takeTurn(lane: Lane, round: number, options: RoundsOptions): Promise<Figure> {
  const { rounds, windowMs, warmUpMs, stopping, onProgress } = options.settings
  stopping.throwIfAborted()
  onProgress(`${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}: ${lane.name}`)
  const run: LoadRun = { durationMs: round === 0 ? warmUpMs : windowMs }
  return measure(lane, options.perSecond === undefined ? run : { ...run, perSecond: options.perSecond }, options)
}

async function measure(lane: Lane, run: LoadRun, { outside }: RoundsOptions): Promise<Figure> {
  const { name, subject, plan } = lane
  try {
    await outside.ask('open', { ...plan, port: subject.port })
    const postsBefore = await outside.ask<number>('posts')
    const usedBefore = cpuMicroseconds(subject.pid)
    const result = await outside.ask<LoadResult>('run', run)
    const used = cpuMicroseconds(subject.pid) - usedBefore
    const posts = (await outside.ask<number>('posts')) - postsBefore
    await outside.ask('close')
    if (posts !== result.requests) throw new Error(`${posts} posts for ${result.requests} answers`)
    return { ...result, cpuMicroseconds: used / result.requests, residentMiB: residentMiB(subject.pid) }
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The lower quartile: on a machine that others use, too, the best quarter of the windows is what the program costs. */
export function bestQuarterOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 4)] ?? Number.NaN
}

export function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

export function p99Of(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN
}
