// Where the time of a reply goes: V8's own sampling profile under load, summed up by package and folder, the service
// beside the pass-through.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { byPart, largestOf, type Program, probedPair, startProbed } from './probed.ts'
import { cpuMicroseconds, threadMicroseconds } from './process-time.ts'
import { number, type Section } from './report.ts'
import type { Settings } from './rounds.ts'
import type { Spent } from './work-probe.ts'
import type { World } from './world.ts'

export interface ProfileOptions {
  /** Where the profiles are left, for the developer tools of a browser. */
  readonly directory: string
  readonly connections: readonly number[]
}

interface Profile {
  readonly title: string
  readonly microseconds: number
  readonly byPart: Readonly<Record<string, number>>
}

const SHOWN = 16
/** What is not spent, and what the beginning of a profile takes by itself. */
const isOfReplies = ({ name, url }: Spent): boolean =>
  name !== '(idle)' && name !== '(root)' && !url.startsWith('node:inspector')
const OTHER_THREADS = 'other threads'

export async function profileReplies(world: World, settings: Settings, options: ProfileOptions): Promise<Section> {
  mkdirSync(options.directory, { recursive: true })
  const { bare, service } = probedPair(world)
  const profiles: Profile[] = []
  for (const connections of options.connections) {
    for (const [name, program] of [['pass-through', bare] as const, ['service', service] as const]) {
      settings.stopping.throwIfAborted()
      settings.onProgress(`profiling ${program.name}, ${connections}`)
      const plan = { ...program.plan, connections }
      const file = join(options.directory, `${name}-${connections}.cpuprofile`)
      profiles.push(await profileOne(world, { ...program, plan }, settings, file))
    }
  }
  const parts = largestOf(
    profiles.map(profile => profile.byPart),
    SHOWN
  )
  return {
    name: 'profile',
    title: 'Where the time of a reply goes',
    note: 'CPU µs of a reply, by package and folder; by V8’s sampling, which costs something itself. `writev`, `writeUtf8String` and `writeLatin1String` are the system calls; other threads collect garbage, compile, and write files.',
    head: ['', ...profiles.map(({ title }) => title)],
    rows: [
      ['all', ...profiles.map(({ microseconds }) => number(microseconds))],
      ...parts.map(part => [part, ...profiles.map(profile => number(profile.byPart[part] ?? 0))])
    ],
    figures: profiles
  }
}

async function profileOne(world: World, program: Program, settings: Settings, file: string): Promise<Profile> {
  await using stack = new AsyncDisposableStack()
  const { child, warmUp, load } = await startProbed(stack, world, program, settings)
  await warmUp()
  await child.ask('beginProfile')
  const before = timesOf(child.pid)
  const replies = await load(settings.windowMs)
  const after = timesOf(child.pid)
  const spent = (await child.ask<readonly Spent[]>('endProfile', file)).filter(isOfReplies)
  const all = spent.reduce((sum, { share }) => sum + share, 0)
  const main = (after.main - before.main) / replies
  const microseconds = (after.all - before.all) / replies
  return {
    title: `${program.name}, ${program.plan.connections}`,
    microseconds,
    byPart: { ...byPart(spent, ({ share }) => (share / all) * main), [OTHER_THREADS]: microseconds - main }
  }
}

function timesOf(pid: number): { readonly all: number; readonly main: number } {
  return { all: cpuMicroseconds(pid), main: threadMicroseconds(pid) }
}
