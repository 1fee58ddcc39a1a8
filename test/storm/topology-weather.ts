// Several Redis servers in bad weather: masters are killed and their replicas take their place, without what they had not
// received, and in a cluster slots move from one master to another.
import { Shards } from '../../src/delivery/stores/redis/shards.ts'
import { ServerRun } from '../../src/delivery/stores/server-run.ts'
import { slotOf } from '../../src/redis/slots.ts'
import { type RedisCluster, startCluster } from '../helpers/redis-cluster.ts'
import { startWatched } from '../helpers/redis-sentinel.ts'
import type { RedisServer } from '../helpers/redis-server.ts'
import { until } from '../helpers/until.ts'
import { sleep } from './sleep.ts'
import type { StoreWeather } from './store-weather.ts'

const SLOTS_AT_ONCE = 3
/** Those in which there are records. */
const SLOTS = new Shards(true, () => new ServerRun(() => 0, 0)).all.map(({ memory }) => slotOf(memory))

/** Whose masters are killed one after the other; `between` is what else befalls them before each. */
interface Pairs {
  readonly url: string
  readonly masters: readonly RedisServer[]
  /** Of each master, in their order. */
  readonly spares: readonly RedisServer[]
  readonly between?: (masters: readonly RedisServer[], random: () => number) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Behind sentinels. */
export async function sentinelWeather(): Promise<StoreWeather> {
  const { url, master, replica, stop } = await startWatched()
  return new FailoverWeather({ url, masters: [master], spares: [replica], stop })
}

/** In a cluster whose slots move. */
export async function clusterWeather(): Promise<StoreWeather> {
  const cluster = await startCluster({ hasReplicas: true })
  return new FailoverWeather({
    url: cluster.url,
    masters: cluster.masters,
    spares: cluster.replicas,
    between: (masters, random) => moveSlots(cluster, masters, random),
    stop: () => cluster.stop()
  })
}

class FailoverWeather implements StoreWeather {
  readonly urls: readonly string[]
  readonly #pairs: Pairs
  kills = 0
  hasFailedOver = false

  constructor(pairs: Pairs) {
    this.#pairs = pairs
    this.urls = [pairs.url, pairs.url]
  }

  async blow(seconds: number, random: () => number, calm: AbortSignal): Promise<void> {
    const masters = [...this.#pairs.masters]
    const spares = [...this.#pairs.spares]
    for (let pair = 0; this.kills === 0 || !calm.aborted; pair = (pair + 1) % masters.length) {
      await sleep(300 + random() * 1000, calm)
      await this.#pairs.between?.(masters, random)
      const [killed, spare] = [masters[pair], spares[pair]]
      if (!killed || !spare) return
      this.kills++
      await replace(killed, spare)
      ;[masters[pair], spares[pair]] = [spare, killed]
      this.hasFailedOver = true
      await sleep(Math.min(10_000, seconds * 200), calm)
    }
  }

  end(): Promise<void> {
    return this.#pairs.stop()
  }
}

async function moveSlots(cluster: RedisCluster, masters: readonly RedisServer[], random: () => number): Promise<void> {
  const to = masters[Math.floor(random() * masters.length)]
  if (!to) return
  for (let count = 0; count < SLOTS_AT_ONCE; count++) {
    const slot = SLOTS[Math.floor(random() * SLOTS.length)] ?? 0
    await cluster.beginMove(slot, to)
    await cluster.endMove(slot, to)
  }
}

/** Kills a server; it comes back as the replica of the one that took its place. */
async function replace(killed: RedisServer, spare: RedisServer): Promise<void> {
  await killed.kill()
  // A sentinel ends the connections of the one that it promotes.
  await until(async () => String(await spare.command('ROLE').catch(() => '')).startsWith('master'), Boolean, 60_000)
  await killed.restart()
  await until(
    async () => String(await spare.command('INFO', 'replication').catch(() => '')).includes('state=online'),
    Boolean,
    60_000
  )
}
