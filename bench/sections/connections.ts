import { installPeers } from '../peers/installed.ts'
import { type Peer, peerNamed } from '../peers/peers.ts'
import { number, type Section } from '../report.ts'
import { bestQuarterOf, type Figure, type Lane, medianOf, runRounds, type Settings } from '../rounds.ts'
import { hasServer, storeUrls } from '../store-urls.ts'
import { everythingOn, LIMITED_USERS, SMALL_HEAP, startPeer, startService, type World, withTls } from '../world.ts'

export interface ConnectionsOptions {
  readonly awake: readonly number[]
  readonly asleep: readonly number[]
  /** Of what differs from the service as it is, and of the other programs; none of them is started without a number. */
  readonly variants: readonly number[]
}

type CallersAre = 'awake' | 'asleep'

interface Compared {
  readonly program: string
  readonly callers: CallersAre
  readonly lane: Lane
  readonly base: Lane
}

/** A program whose cost is told by that of another one. */
interface Pair {
  readonly program: string
  readonly lane: Lane
  readonly base: Lane
  readonly callers: CallersAre
  readonly connections: readonly number[]
}

/** With more of them in one process, and no delay upstream, a slow machine is late enough to refuse some of their replies. */
const MOST_ENFORCED = 256
/** Those that do the same job and run on Node. */
const COMPARED_PEERS = ['fastify-http-proxy', 'express']

/** What a reply costs beside the same call of the pass-through, by how many callers are there at once. */
export async function compareConnections(
  world: World,
  settings: Settings,
  options: ConnectionsOptions
): Promise<Section> {
  const compared = comparedLanes(await startPairs(world, options))
  const lanes = [...new Set(compared.flatMap(({ base, lane }) => [base, lane]))]
  const measured = await runRounds(lanes, { ...world, settings })
  const figuresOf = (lane: Lane): readonly Figure[] => measured.find(found => found.lane === lane)?.figures ?? []
  return {
    name: 'connections',
    title: 'By connections, beside the pass-through',
    note: `${settings.rounds} interleaved rounds of ${settings.windowMs} ms, 1,000 users, 4,000 where there are limits, which none of them meets; 200 bytes, no delay upstream. **This service** has its limits, its metrics and an audit file. × is the CPU time of a reply by that of the pass-through with as many connections, the best quarter of each, and its spread over the rounds; × p99 and × resident are of medians. Callers who sleep between answers make each write dearer, as in production.`,
    head: [
      '× pass-through',
      'spread',
      'connections',
      'callers',
      'program',
      'CPU µs',
      'p50 µs',
      'p99 µs',
      '× p99',
      'resident MiB',
      '× resident'
    ],
    rows: compared.map(({ program, callers, lane, base }) => {
      const [own, other] = [figuresOf(lane), figuresOf(base)]
      const cost = (figures: readonly Figure[]): number => bestQuarterOf(figures.map(each => each.cpuMicroseconds))
      const median = (figures: readonly Figure[], name: keyof Figure): number =>
        medianOf(figures.map(each => each[name]))
      const ratios = own.map((figure, index) => figure.cpuMicroseconds / (other[index]?.cpuMicroseconds ?? Number.NaN))
      return [
        (cost(own) / cost(other)).toFixed(2),
        `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
        lane.plan.connections.toLocaleString('en-US'),
        callers,
        program,
        number(cost(own)),
        number(median(own, 'p50')),
        number(median(own, 'p99')),
        (median(own, 'p99') / median(other, 'p99')).toFixed(2),
        number(median(own, 'residentMiB')),
        (median(own, 'residentMiB') / median(other, 'residentMiB')).toFixed(2)
      ]
    }),
    figures: measured.map(({ lane, figures }) => ({ name: lane.name, connections: lane.plan.connections, figures }))
  }
}

/** The pass-through stands beside each of those that are compared with it, once for each number of connections. */
function comparedLanes(pairs: readonly Pair[]): Compared[] {
  const bases = new Map<string, Lane>()
  return pairs.flatMap(({ program, lane, base, callers, connections }) =>
    connections.map(count => {
      const plan = { connections: count, isAwake: callers === 'awake' }
      const laneOf = (from: Lane, name: string): Lane => ({ ...from, name, plan: { ...from.plan, ...plan } })
      const baseName = `${base.name}, ${callers}, ${count}`
      const known = bases.get(baseName) ?? laneOf(base, baseName)
      bases.set(baseName, known)
      return {
        program,
        callers,
        base: known,
        lane: laneOf(lane, `${program.replaceAll('*', '')}, ${callers}, ${count}`)
      }
    })
  )
}

async function startPairs(world: World, options: ConnectionsOptions): Promise<Pair[]> {
  const base = await startPeer(world, peerNamed('bare'))
  const pairs = await startServices(world, base, options)
  return options.variants.length === 0 ? pairs : [...pairs, ...(await startVariants(world, base, options.variants))]
}

/** The service as it is meant to be run, and without what it can do without. */
async function startServices(world: World, base: Lane, { awake, asleep }: ConnectionsOptions): Promise<Pair[]> {
  const users = world.issuer.manyUsers(LIMITED_USERS)
  const full = (name: string, env: Readonly<Record<string, string>> = {}): Promise<Lane> =>
    startService(world, { name, env: { ...everythingOn(world.directory, name), ...env }, plan: { users } })
  const enforcing = await full('this service')
  const isCrowded = [...awake, ...asleep].some(connections => !isEnforced(connections))
  const observing = isCrowded ? await full('limits observed', { LIMIT_MODE: 'observe' }) : enforcing
  const plain = await startService(world, { name: 'without limits and audit' })
  const pairsOf = (callers: CallersAre, connections: readonly number[]): Pair[] => [
    { program: '**this service**', lane: enforcing, base, callers, connections: connections.filter(isEnforced) },
    {
      program: '**this service**, limits observed',
      lane: observing,
      base,
      callers,
      connections: connections.filter(count => !isEnforced(count))
    },
    { program: 'without limits and audit', lane: plain, base, callers, connections }
  ]
  return [...pairsOf('awake', awake), ...pairsOf('asleep', asleep)]
}

function isEnforced(connections: number): boolean {
  return connections <= MOST_ENFORCED
}

/** Keys and stores, TLS to CometChat, a small heap, and the other programs; none of them with limits or audit. */
async function startVariants(world: World, base: Lane, connections: readonly number[]): Promise<Pair[]> {
  const smallHeap = await startService(world, { name: 'small heap', env: SMALL_HEAP })
  const pairs: Pair[] = [{ program: 'with a small heap', lane: smallHeap, base, callers: 'awake', connections }]
  for (const [store, STORE_URL] of await storeUrls(world, 'connections')) {
    const lane = await startService(world, { name: store, env: { STORE_URL }, plan: { keyed: true } })
    // A server of records needs the processor on which the callers would stay awake.
    const callers = hasServer(store) ? 'asleep' : 'awake'
    pairs.push({ program: `keyed, ${store}`, lane, base, callers, connections })
  }
  const tls = await withTls(world)
  const tlsBase = await startPeer(tls, { ...peerNamed('bare'), name: 'bare over TLS' })
  const tlsService = await startService(tls, { name: 'TLS' })
  pairs.push({ program: 'TLS to CometChat', lane: tlsService, base: tlsBase, callers: 'awake', connections })
  for (const peer of installedPeers()) {
    pairs.push({ program: peer.title, lane: await startPeer(world, peer), base, callers: 'awake', connections })
  }
  return pairs
}

function installedPeers(): Peer[] {
  try {
    installPeers()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  }
  return COMPARED_PEERS.map(peerNamed).filter(peer => peer.missing() === undefined)
}
