// What one reply makes inside a process: counts, which are the same on a busy machine as on a quiet one.
import { setTimeout as sleep } from 'node:timers/promises'
import { byPart, largestOf, type Probed, type Program, probedPair, probedVariants, startProbed } from '../probed.ts'
import type { Section } from '../report.ts'
import type { Settings } from '../rounds.ts'
import { openWaiting } from '../waiting.ts'
import type { Allocated, Made } from '../work-probe.ts'
import type { World } from '../world.ts'

type ByPart = Readonly<Record<string, number>>

/** Of one reply. */
interface Work {
  readonly program: string
  readonly taken: ByPart
  /** Of the pass-through and the plain service only. */
  readonly held: ByPart | undefined
  readonly made: ByPart
  readonly clockReads: number
}

/** By the names that Node has for them. An `await` counts as a promise: Node makes one for it while it is watched. */
const RESOURCES = [
  ['promises and awaits', 'PROMISE'],
  ['next ticks', 'TickObject'],
  ['timers', 'Timeout'],
  ['immediates', 'Immediate'],
  ['calls of the file system', 'FSREQCALLBACK']
] as const
const SHOWN_TAKEN = 9
const SHOWN_HELD = 7
const WAITING = 1000
/** Until they are all read, and stand in their queues. */
const SETTLING_MS = 2500

export async function countWork(world: World, settings: Settings, isQuick: boolean): Promise<Section> {
  const works: Work[] = []
  const pair = Object.values(probedPair(world))
  for (const program of isQuick ? pair : [...pair, ...probedVariants(world)]) {
    settings.stopping.throwIfAborted()
    settings.onProgress(program.name)
    works.push(await countOne(world, program, settings, pair.includes(program)))
  }
  const row = (what: string, of: (work: Work) => number | undefined): string[] => [
    what,
    ...works.map(work => of(work)?.toFixed(1) ?? '–')
  ]
  const rowsBy = (what: string, of: (work: Work) => ByPart | undefined, shown: number): string[][] => {
    const kib = (pick: (parts: ByPart) => number) => (work: Work) => {
      const parts = of(work)
      return parts && pick(parts) / 1024
    }
    const all = works.map(of).filter(parts => parts !== undefined)
    return [
      row(what, kib(sum)),
      ...largestOf(all, shown).map(part =>
        row(
          `– ${part}`,
          kib(parts => parts[part] ?? 0)
        )
      )
    ]
  }
  return {
    name: 'work',
    title: 'What a reply makes',
    note: `Counted inside the process over ${world.plan.connections} connections, by V8’s sampling of what is taken from the heap and Node’s async hooks; a reply that waits is one of ${WAITING.toLocaleString('en-US')} that CometChat does not answer. None of it depends on how busy the machine is.`,
    head: ['of one reply', ...works.map(({ program }) => program)],
    rows: [
      ...rowsBy('KiB taken from the heap', ({ taken }) => taken, SHOWN_TAKEN),
      ...rowsBy('KiB held while it waits', ({ held }) => held, SHOWN_HELD),
      ...RESOURCES.map(([what, type]) => row(what, ({ made }) => made[type] ?? 0)),
      row('looks at the clock', ({ clockReads }) => clockReads)
    ],
    figures: works
  }
}

async function countOne(world: World, program: Program, settings: Settings, isWaiting: boolean): Promise<Work> {
  const { windowMs } = settings
  await using stack = new AsyncDisposableStack()
  const probed = await startProbed(stack, world, program, settings)
  const { child, warmUp, load } = probed
  await warmUp()

  await child.ask('beginAllocations', { isKept: false })
  const sampled = await load(windowMs)
  const taken = await child.ask<readonly Allocated[]>('endAllocations')

  await child.ask('beginCount')
  const counted = await load(windowMs)
  const { resources, clockReads } = await child.ask<Made>('endCount')

  const held = isWaiting ? await heldByWaiting(world, probed) : undefined
  return {
    program: program.name,
    taken: byPart(taken, ({ bytes }) => bytes / sampled),
    held: held && byPart(held, ({ bytes }) => bytes / WAITING),
    made: Object.fromEntries(Object.entries(resources).map(([type, count]) => [type, count / counted])),
    clockReads: clockReads / counted
  }
}

async function heldByWaiting({ outside }: World, { child, port, plan }: Probed): Promise<readonly Allocated[]> {
  await outside.ask('hang', true)
  await child.ask('beginAllocations', { isKept: true })
  const waiting = await openWaiting(port, WAITING, plan)
  // Their connections end with the program.
  waiting.answered.catch(() => undefined)
  await sleep(SETTLING_MS)
  const held = await child.ask<readonly Allocated[]>('endAllocations')
  await outside.ask('hang', false)
  if (waiting.answers() > 0) throw new Error(`${waiting.answers()} replies did not wait: the figure would be of fewer.`)
  return held
}

function sum(parts: ByPart): number {
  return Object.values(parts).reduce((all, part) => all + part, 0)
}
