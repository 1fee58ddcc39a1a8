import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { optionsOrUsage } from '../test/helpers/command-options.ts'
import { barChart } from './plot.ts'
import { profileReplies } from './profile.ts'
import { markdownOf, type Section } from './report.ts'
import type { Settings } from './rounds.ts'
import type { ConnectionsOptions } from './sections/connections.ts'
import type { GrowthOptions } from './sections/growth.ts'
import { CORES, startWorld, type World } from './world.ts'

const SECTIONS = [
  'peers',
  'stores',
  'latency',
  'reading',
  'growth',
  'connections',
  'workers',
  'startup',
  'memory',
  'path',
  'work',
  'tokens',
  'metrics',
  'traces',
  'limits',
  'parts',
  'plugin',
  'overload',
  'goodput',
  'fairness',
  'quota',
  'away',
  'slow'
] as const
/** Without what needs many programs or many replies. */
const QUICK_SECTIONS = ['peers', 'stores', 'latency', 'startup']
type SectionName = (typeof SECTIONS)[number]

const USAGE = `Usage: npm run bench -- [--quick] [--only NAMES] [--rounds N] [--window-ms N] [--cpu-prof [--connections NUMBERS]]
                          [--against DIR] [--results DIR] [--help]

Measures what a reply costs: CPU time of the service's process, side by side with programs that others would use in its
place, each seen to do the job before it is measured. Every program takes its turn in every round. Linux only.

  --quick       ${QUICK_SECTIONS.join(', ')} in fewer and shorter rounds: two minutes instead of thirty
  --only NAMES  of ${SECTIONS.join(', ')}: those, separated by commas
  --rounds N    how many rounds count
  --window-ms N how long each program has in a round
  --cpu-prof    only profile the service and the pass-through under load, and say where their time goes
  --connections NUMBERS
                of connections for --cpu-prof (64,1000) and for the section connections, separated by commas
  --against DIR only a reply and a page of a thread, in turn with the service of another checkout of this project
  --results DIR where the tables, the figures and a plot are left (bench/results)
  --help        this text

haproxy, nginx, Redis and Postgres take part where they are installed (Debian: apt-get install haproxy nginx redis-server
postgresql).
`
const EXIT_FAILED = 1
/** As a shell says it: 128 and SIGINT. */
const EXIT_INTERRUPTED = 130

const RESULTS = fileURLToPath(new URL('results', import.meta.url))
const QUICK = { rounds: 3, windowMs: 500, warmUpMs: 2500 }
const FULL = { rounds: 10, windowMs: 1000, warmUpMs: 5000 }
const QUICK_GROWTH: GrowthOptions = {
  connections: [1, 64, 256, 1000],
  bodyBytes: [200, 60_000],
  users: [10, 100_000],
  records: [0, 10_000]
}
const FULL_GROWTH: GrowthOptions = {
  connections: [1, 64, 256, 1000, 5000],
  bodyBytes: [200, 2000, 20_000, 60_000],
  users: [10, 1000, 10_000, 1_000_000],
  records: [0, 100_000, 1_000_000]
}

const QUICK_CONNECTIONS: ConnectionsOptions = { awake: [64, 1000], asleep: [64], variants: [] }
const FULL_CONNECTIONS: ConnectionsOptions = {
  awake: [1, 64, 256, 1000, 5000],
  asleep: [64, 1000],
  variants: [64, 1000]
}

const PROFILED = [64, 1000]

const QUICK_MEMORY = { waiting: 5000, waves: 1, loadMs: 5000 }
const FULL_MEMORY = { waiting: 5000, waves: 3, loadMs: 20_000 }

const QUICK_OVERLOAD = { perSecond: 25, times: 10, hangMs: 15_000 }
const FULL_OVERLOAD = { perSecond: 25, times: 10, hangMs: 60_000 }

const QUICK_GOODPUT = { windowMs: 5000 }
const FULL_GOODPUT = { windowMs: 15_000 }

const QUICK_FAIRNESS = { rounds: 3, windowMs: 3000 }
const FULL_FAIRNESS = { rounds: 15, windowMs: 4000 }

const QUICK_QUOTA = { instances: [2], forMs: 70_000 }
const FULL_QUOTA = { instances: [1, 2, 4], forMs: 130_000 }

const QUICK_AWAY = { stoppedMs: 5000 }
const FULL_AWAY = { stoppedMs: 20_000 }

const QUICK_SLOW = { rounds: 3, windowMs: 2000 }
const FULL_SLOW = { rounds: 7, windowMs: 3000 }

interface Options {
  readonly quick: boolean
  readonly only: readonly SectionName[]
  readonly rounds: number | undefined
  readonly windowMs: number | undefined
  readonly profile: boolean
  readonly connections: readonly number[] | undefined
  readonly against: string | undefined
  readonly results: string
}

const options = optionsOrUsage(readOptions(), USAGE)
if (options) process.exitCode = await main(options)

async function main(options: Options): Promise<number> {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  try {
    if (process.platform !== 'linux') throw new Error('It reads CPU times from /proc, which only Linux has.')
    await run(options, stopping.signal)
    return 0
  } catch (error) {
    endProgress()
    if (stopping.signal.aborted) return EXIT_INTERRUPTED
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return EXIT_FAILED
  }
}

async function run(options: Options, stopping: AbortSignal): Promise<void> {
  const { quick, rounds, windowMs, results } = options
  const base = quick ? QUICK : FULL
  const settings = {
    rounds: rounds ?? base.rounds,
    windowMs: windowMs ?? base.windowMs,
    warmUpMs: windowMs ?? base.warmUpMs,
    stopping,
    onProgress: showProgress
  }
  // Each loaded when its turn has come: they load most of the service.
  const measure: Record<SectionName, (world: World) => Promise<Section>> = {
    peers: async world => (await import('./sections/peers.ts')).comparePeers(world, settings),
    stores: async world => (await import('./sections/stores.ts')).compareStores(world, settings),
    latency: async world => (await import('./sections/latency.ts')).measureLatency(world, settings),
    reading: async world => (await import('./sections/reading.ts')).measureReading(world, settings),
    growth: async world =>
      (await import('./sections/growth.ts')).measureGrowth(world, settings, quick ? QUICK_GROWTH : FULL_GROWTH),
    connections: async world =>
      (await import('./sections/connections.ts')).compareConnections(world, settings, connectionsOptions(options)),
    workers: async world => (await import('./sections/workers.ts')).measureWorkers(world, settings),
    startup: async world => (await import('./sections/startup.ts')).measureStartup(world, settings),
    memory: async world =>
      (await import('./sections/memory.ts')).measureMemory(world, {
        ...settings,
        ...(quick ? QUICK_MEMORY : FULL_MEMORY)
      }),
    path: async world => (await import('./sections/path.ts')).countPath(world, settings),
    work: async world => (await import('./sections/work.ts')).countWork(world, settings, quick),
    tokens: async world => (await import('./sections/tokens.ts')).measureTokens(world, settings),
    metrics: async world => (await import('./sections/metrics.ts')).measureMetrics(world, settings),
    traces: async world => (await import('./sections/traces.ts')).measureTraces(world, settings),
    limits: async world => (await import('./sections/limits.ts')).compareLimits(world, settings),
    parts: async world => (await import('./sections/parts.ts')).measureParts(world, settings),
    plugin: async world => (await import('./sections/plugin.ts')).comparePlugin(world, settings),
    overload: async world =>
      (await import('./sections/overload.ts')).measureOverload(world, quick ? QUICK_OVERLOAD : FULL_OVERLOAD),
    goodput: async world =>
      (await import('./sections/goodput.ts')).measureGoodput(world, quick ? QUICK_GOODPUT : FULL_GOODPUT),
    fairness: async world =>
      (await import('./sections/fairness.ts')).measureFairness(world, quick ? QUICK_FAIRNESS : FULL_FAIRNESS),
    quota: async world => (await import('./sections/quota.ts')).measureQuota(world, quick ? QUICK_QUOTA : FULL_QUOTA),
    away: async world => (await import('./sections/away.ts')).measureAway(world, quick ? QUICK_AWAY : FULL_AWAY),
    slow: async world => (await import('./sections/slow.ts')).measureSlowClients(world, quick ? QUICK_SLOW : FULL_SLOW)
  }
  const sections: Section[] = []
  const steps = stepsOf(options, measure, settings)
  process.stdout.write(`${machine(settings)}\n\n`)
  for (const step of steps) {
    // Each in a world of its own: nothing that runs on from another one disturbs it.
    await using stack = new AsyncDisposableStack()
    const section = await step(await startWorld(stack))
    endProgress()
    process.stdout.write(markdownOf(section))
    sections.push(section)
  }
  keep(sections, settings, results)
}

function connectionsOptions({ quick, connections }: Options): ConnectionsOptions {
  const { awake, asleep, variants } = quick ? QUICK_CONNECTIONS : FULL_CONNECTIONS
  return {
    awake: connections ?? awake,
    asleep: connections ?? asleep,
    variants: quick ? variants : (connections ?? variants)
  }
}

type Step = (world: World) => Promise<Section>

function stepsOf(
  { only, profile, connections = PROFILED, against, results }: Options,
  measure: Readonly<Record<SectionName, Step>>,
  settings: Settings
): readonly Step[] {
  if (profile) return [world => profileReplies(world, settings, { directory: results, connections })]
  if (against === undefined) return only.map(name => measure[name])
  return [async world => (await import('./sections/against.ts')).measureAgainst(world, settings, against)]
}

function machine({ rounds, windowMs }: Settings): string {
  return `Node ${process.versions.node}, ${CORES} × ${cpus()[0]?.model.trim()}; ${rounds} rounds of ${windowMs} ms.`
}

function keep(sections: readonly Section[], settings: Settings, results: string): void {
  mkdirSync(results, { recursive: true })
  const text = sections.map(markdownOf).join('')
  writeFileSync(join(results, 'latest.md'), `${machine(settings)}\n\n${text}`)
  writeFileSync(
    join(results, 'latest.json'),
    `${JSON.stringify({ machine: machine(settings), sections }, undefined, 1)}\n`
  )
  const peers = sections.find(({ name }) => name === 'peers')
  if (peers) writeFileSync(join(results, 'peers.svg'), plotOf(peers))
}

function plotOf({ rows }: Section): string {
  const bars = rows.map(([title = '', , cost = '', , ratio = '']) => ({
    label: title.replaceAll('*', ''),
    value: Number(cost.replaceAll(',', '')),
    note: `${cost} µs, ${ratio} ×`,
    isOurs: title.includes('*')
  }))
  return barChart('CPU time of one reply, and × a bare Fastify + undici pass-through', bars)
}

/** On standard error, so that the tables alone can be kept. */
function showProgress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
}

function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}

function readOptions(): Options | 'help' | string {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        rounds: { type: 'string' },
        'window-ms': { type: 'string' },
        results: { type: 'string', default: RESULTS },
        'cpu-prof': { type: 'boolean', default: false },
        connections: { type: 'string' },
        against: { type: 'string' },
        help: { type: 'boolean', default: false }
      }
    })
    if (values.help) return 'help'
    const names = values.only?.split(',') ?? (values.quick ? QUICK_SECTIONS : SECTIONS)
    const only = SECTIONS.filter(section => names.some(name => name === section))
    if (only.length !== names.length) return `--only takes some of: ${SECTIONS.join(', ')}.`
    const [rounds, windowMs] = [values.rounds, values['window-ms']].map(text =>
      text === undefined ? undefined : Number(text)
    )
    const connections = values.connections?.split(',').map(Number)
    const counts = [rounds, windowMs, ...(connections ?? [])]
    const isWrong = counts.some(count => count !== undefined && !(Number.isSafeInteger(count) && count > 0))
    if (isWrong) return '--rounds, --window-ms and --connections take whole numbers from 1.'
    const { quick, 'cpu-prof': profile, results, against } = values
    return { quick, only, rounds, windowMs, profile, connections, against, results }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
