// Where the service's time goes: V8's own sampling profile of it under load, summed up by package and folder.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { number, type Section } from './report.ts'
import type { Settings } from './rounds.ts'
import { startService, type World } from './world.ts'

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { functionName: string; url: string } }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const LOADED_MS = 10_000
const WRITING_MS = 100
const WRITTEN_WITHIN_MS = 15_000
/** Start-up and compilation come first; they are not what a reply costs. */
const SETTLED_AFTER = 0.4
const SHOWN = 16

/** Leaves the profile in the directory, for the developer tools of a browser. */
export async function profileService(
  world: World,
  settings: Settings,
  { directory, connections }: { readonly directory: string; readonly connections: number }
): Promise<Section> {
  mkdirSync(directory, { recursive: true })
  const before = new Set(readdirSync(directory))
  const flags = ['--cpu-prof', `--cpu-prof-dir=${directory}`, '--cpu-prof-interval=100']
  const { subject, plan } = await startService(world, {
    name: 'the profiled service',
    env: { DRAIN_DELAY_MS: '0', NODE_OPTIONS: flags.join(' '), NODE_ENV: 'development' }
  })
  settings.onProgress('profiling')
  await world.outside.ask('open', { ...plan, connections, port: subject.port })
  await world.outside.ask('run', { durationMs: LOADED_MS })
  await world.outside.ask('close')
  process.kill(subject.pid, 'SIGTERM')
  const file = await untilWritten(directory, before)
  const shares = sharesOf(JSON.parse(readFileSync(file, 'utf8')))
  return {
    name: 'profile',
    title: `Where the time goes at ${connections} connections`,
    note: `Self time by package and folder, from ${file.split('/').at(-1)}; "writev" and "write" are the system calls.`,
    head: ['part', '% of CPU'],
    rows: shares.slice(0, SHOWN).map(([part, share]) => [part, number(share * 100)]),
    figures: Object.fromEntries(shares)
  }
}

async function untilWritten(directory: string, before: ReadonlySet<string>): Promise<string> {
  for (let waitedMs = 0; waitedMs < WRITTEN_WITHIN_MS; waitedMs += WRITING_MS) {
    const name = readdirSync(directory).find(found => found.endsWith('.cpuprofile') && !before.has(found))
    if (name !== undefined && readFileSync(`${directory}/${name}`, 'utf8').endsWith('}')) return `${directory}/${name}`
    await sleep(WRITING_MS)
  }
  throw new Error('the profile was not written')
}

function sharesOf({ nodes, samples, timeDeltas }: CpuProfile): [part: string, share: number][] {
  const partOf = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const times = new Map<string, number>()
  let total = 0
  for (let index = Math.floor(samples.length * SETTLED_AFTER); index < samples.length; index++) {
    const part = partOf.get(samples[index] ?? 0) ?? ''
    if (part === '(idle)') continue
    const time = timeDeltas[index] ?? 0
    times.set(part, (times.get(part) ?? 0) + time)
    total += time
  }
  return [...times].map(([part, time]): [string, number] => [part, time / total]).sort((a, b) => b[1] - a[1])
}

function nameOf({ functionName, url }: { functionName: string; url: string }): string {
  const packageName = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (packageName !== undefined) return packageName
  const folder = /\/src\/([^/]+)/.exec(url)?.[1]
  if (folder !== undefined) return `src/${folder}`
  return url.startsWith('node:') ? 'Node’s own JavaScript' : functionName || 'other'
}
