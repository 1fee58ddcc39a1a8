// What metrics cost: counting one reply, a scrape, and memory; beside the counters of the library that writes them out.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Counter, Histogram, Registry } from '@prometheus-io/client'
import { PROBLEMS, type ProblemCode } from '../../src/lib/refusals/problems.ts'
import type { ServiceEvent, UpstreamCall } from '../../src/observability/events.ts'
import { LogFields } from '../../src/observability/log-fields.ts'
import { EventMetrics } from '../../src/observability/metrics/event-metrics.ts'
import { expose } from '../../src/observability/metrics/exposition.ts'
import { HTTP_SECONDS } from '../../src/observability/metrics/instruments.ts'
import { RequestMetrics } from '../../src/observability/metrics/request-metrics.ts'
import { freePort } from '../../test/helpers/free-port.ts'
import { cpuMicroseconds, residentMiB } from '../process-time.ts'
import { number, type Section, spread } from '../report.ts'
import { bestQuarterOf, runRounds, type Settings } from '../rounds.ts'
import { startService, type World } from '../world.ts'

const ROUTE = '/threads/:parentId/replies'
const COUNTED = 100_000
const SCRAPES = 20
/** So many are held that what else the heap does meanwhile hardly counts. */
const SETS = 50
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']
const CALLS: readonly UpstreamCall[] = [
  'POST /messages/{id}/thread',
  'GET /messages/{id}/thread',
  'GET /messages/{id}',
  'GET /users/{uid}',
  'POST /users'
]

/** What a keyed reply of a known caller says of itself on its way. */
const EVENTS: readonly ServiceEvent[] = [
  { name: 'key-claim', result: 'new' },
  { name: 'store-transition', store: 'memory', transition: 'acquire', durationMs: 0, isFailed: false },
  { name: 'upstream-attempt', call: 'POST /messages/{id}/thread', queueMs: 0, durationMs: 31, status: 200 },
  { name: 'store-transition', store: 'memory', transition: 'complete', durationMs: 0, isFailed: false }
]
const FACTS = Object.assign(new LogFields(), {
  method: 'POST',
  route: ROUTE,
  status: 201,
  durationMs: 33,
  delivery: 'sent',
  scheme: 'bearer',
  uid: 'alice'
})

export async function measureMetrics(world: World, settings: Settings): Promise<Section> {
  const ours = newMetrics()
  const theirs = libraryMetrics()
  const counted = { ours: [] as number[], theirs: [] as number[], nothing: [] as number[] }
  const count = { ours: () => ours.note(), theirs, nothing: () => undefined }
  for (let round = 0; round <= settings.rounds; round++) {
    settings.stopping.throwIfAborted()
    settings.onProgress(`counting, round ${round} of ${settings.rounds}`)
    for (const name of ['ours', 'theirs', 'nothing'] as const) {
      const cost = costOf(count[name])
      if (round > 0) counted[name].push(cost)
    }
  }
  const service = await measureService(world, settings)
  const full = await scrapeAll(settings)
  const nothing = bestQuarterOf(counted.nothing)
  const ofReply = (cost: number): string => `${((100 * (cost - nothing)) / service.replyMicroseconds).toFixed(2)} %`
  const row = (what: string, costs: readonly number[]): string[] => [
    what,
    number(bestQuarterOf(costs) - nothing),
    spread(costs),
    ofReply(bestQuarterOf(costs))
  ]
  return {
    name: 'metrics',
    title: 'Metrics',
    note: `Processor time. A reply as it is counted, of a service that takes ${number(service.replyMicroseconds)} µs for it; the same with the counters of the library; a scrape of that service, HTTP included (it grew by ${service.grewMiB.toFixed(1)} MiB with the first ${SCRAPES} scrapes, the library included), and one with every histogram full (${full.lines} lines).`,
    head: ['', 'µs', 'spread', 'of a reply'],
    rows: [
      row('a reply, in our arrays', counted.ours),
      row('a reply, in the counters of the library', counted.theirs),
      ['a scrape', number(service.scrapeMicroseconds), '–', '–'],
      ['a scrape with all series there can be', number(bestQuarterOf(full.costs)), spread(full.costs), '–'],
      [`memory of all series, in KiB`, number(full.kibibytes), '–', '–']
    ],
    figures: { counted, service, full }
  }
}

function newMetrics() {
  const requests = new RequestMetrics({ repliesRoute: ROUTE, schemes: ['bearer', 'app-session', 'login'] })
  requests.knowRoute(ROUTE)
  const events = new EventMetrics({ store: 'memory', describedMembers: [] })
  return {
    requests,
    events,
    note(): void {
      for (const event of EVENTS) events.note(event)
      requests.note(FACTS)
    },
    families: () => [...requests.families(), ...events.families()]
  }
}

/** The same counts as a program would keep them that has the library alone. */
function libraryMetrics(): () => void {
  const registers = [new Registry()]
  const counter = (name: string, ...labelNames: string[]) => new Counter({ name, help: name, labelNames, registers })
  const histogram = (name: string, ...labelNames: string[]) =>
    new Histogram({ name, help: name, labelNames, registers, buckets: HTTP_SECONDS })
  const served = histogram('server_seconds', 'method', 'route', 'status', 'error')
  const called = histogram('client_seconds', 'method', 'template', 'status', 'error')
  const queued = histogram('queue_seconds')
  const transition = histogram('transition_seconds', 'store', 'transition')
  const [claims, verdicts, credentials] = [
    counter('claims_total', 'result'),
    counter('verdicts_total', 'delivery', 'code'),
    counter('credentials_total', 'scheme', 'reason')
  ]
  return () => {
    claims.inc({ result: 'new' })
    transition.observe({ store: 'memory', transition: 'acquire' }, 0)
    queued.observe(0)
    called.observe({ method: 'POST', template: '/messages/{id}/thread', status: '200', error: '' }, 0.031)
    transition.observe({ store: 'memory', transition: 'complete' }, 0)
    served.observe({ method: 'POST', route: ROUTE, status: '201', error: '' }, 0.033)
    verdicts.inc({ delivery: 'sent', code: 'none' })
    credentials.inc({ scheme: 'bearer', reason: 'accepted' })
  }
}

/** Microseconds of processor time for one call. */
function costOf(note: () => void): number {
  const before = cpuMicroseconds(process.pid)
  for (let turn = 0; turn < COUNTED; turn++) note()
  return (cpuMicroseconds(process.pid) - before) / COUNTED
}

async function measureService(world: World, settings: Settings) {
  const adminPort = await freePort()
  const lane = await startService(world, {
    name: 'the service',
    env: { ADMIN_PORT: String(adminPort) },
    plan: { keyed: true }
  })
  const [measured] = await runRounds([lane], { ...world, settings })
  const { pid } = lane.subject
  const scrape = async (): Promise<void> => void (await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text())
  const heldMiB = residentMiB(pid)
  for (let turn = 0; turn < SCRAPES; turn++) await scrape()
  const before = cpuMicroseconds(pid)
  for (let turn = 0; turn < SCRAPES; turn++) await scrape()
  return {
    replyMicroseconds: bestQuarterOf((measured?.figures ?? []).map(figure => figure.cpuMicroseconds)),
    scrapeMicroseconds: (cpuMicroseconds(pid) - before) / SCRAPES,
    grewMiB: residentMiB(pid) - heldMiB
  }
}

/** With every series that the lists and the bounds allow. */
async function scrapeAll({ rounds, stopping }: Settings) {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const settled = (): NodeJS.MemoryUsage => {
    collectGarbage()
    return process.memoryUsage()
  }
  const before = settled()
  const filled = Array.from({ length: SETS }, newFullMetrics)
  const held = settled()
  const bytes = held.heapUsed - before.heapUsed + held.arrayBuffers - before.arrayBuffers
  const costs: number[] = []
  let lines = 0
  for (let round = 0; round <= rounds; round++) {
    stopping.throwIfAborted()
    const used = cpuMicroseconds(process.pid)
    const { text } = await expose(filled[0]?.families() ?? [], 'openmetrics')
    if (round > 0) costs.push(cpuMicroseconds(process.pid) - used)
    lines = text.split('\n').length
  }
  return { costs, lines, kibibytes: bytes / SETS / 1024 }
}

function newFullMetrics() {
  const metrics = newMetrics()
  for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
    for (const method of METHODS) metrics.requests.note(Object.assign(new LogFields(), { ...FACTS, method, code }))
  }
  for (const call of CALLS) {
    for (let status = 200; status < 600; status++) {
      metrics.events.note({ name: 'upstream-attempt', call, queueMs: 0, durationMs: 1, status })
    }
  }
  return metrics
}
