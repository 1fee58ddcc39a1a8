// Several Redis servers in bad weather: masters are killed and their replicas take their place, without what they had not
// received, and in a cluster slots move from one master to another.
import { Shards } from '../../src/delivery/stores/redis/shards.ts'
import { ServerRun } from '../../src/delivery/stores/server-run.ts'
import { slotOf } from '../../src/redis/slots.ts'
import { type RedisCluster, startCluster } from '../helpers/redis-cluster.ts'
import { startWatched, type WatchedRedis } from '../helpers/redis-sentinel.ts'
import type { RedisServer } from '../helpers/redis-server.ts'
import { until } from '../helpers/until.ts'
import { sleep } from './sleep.ts'
import type { StoreWeather } from './store-weather.ts'

const SLOTS_AT_ONCE = 3
/** Those in which there are records. */
const SLOTS = new Shards(true, () => new ServerRun(() => 0, 0)).all.map(({ memory }) => slotOf(memory))

export class ClusterWeather implements StoreWeather {
  readonly urls: readonly string[]
  readonly #cluster: RedisCluster
  kills = 0
  hasFailedOver = false

  private constructor(cluster: RedisCluster) {
    this.#cluster = cluster
    this.urls = [cluster.url, cluster.url]
  }

  static async begin(): Promise<ClusterWeather> {
    return new ClusterWeather(await startCluster({ hasReplicas: true }))
  }

  async blow(seconds: number, random: () => number, calm: AbortSignal): Promise<void> {
    const masters = [...this.#cluster.masters]
    const spares = [...this.#cluster.replicas]
    for (let shard = 0; this.kills === 0 || !calm.aborted; shard = (shard + 1) % masters.length) {
      await sleep(300 + random() * 1000, calm)
      await this.#move(masters, random)
      const [killed, spare] = [masters[shard], spares[shard]]
      if (!killed || !spare) return
      this.kills++
      await replace(killed, spare)
      ;[masters[shard], spares[shard]] = [spare, killed]
      this.hasFailedOver = true
      await sleep(Math.min(10_000, seconds * 200), calm)
    }
  }

  end(): Promise<void> {
    return this.#cluster.stop()
  }

  async #move(masters: readonly RedisServer[], random: () => number): Promise<void> {
    const to = masters[Math.floor(random() * masters.length)]
    if (!to) return
    for (let count = 0; count < SLOTS_AT_ONCE; count++) {
      const slot = SLOTS[Math.floor(random() * SLOTS.length)] ?? 0
      await this.#cluster.beginMove(slot, to)
      await this.#cluster.endMove(slot, to)
    }
  }
}

export class SentinelWeather implements StoreWeather {
  readonly urls: readonly string[]
  readonly #watched: WatchedRedis
  kills = 0
  hasFailedOver = false

  private constructor(watched: WatchedRedis) {
    this.#watched = watched
    this.urls = [watched.url, watched.url]
  }

  static async begin(): Promise<SentinelWeather> {
    return new SentinelWeather(await startWatched())
  }

  async blow(seconds: number, random: () => number, calm: AbortSignal): Promise<void> {
    let [master, replica] = [this.#watched.master, this.#watched.replica]
    while (this.kills === 0 || !calm.aborted) {
      await sleep(300 + random() * 1000, calm)
      this.kills++
      await replace(master, replica)
      ;[master, replica] = [replica, master]
      this.hasFailedOver = true
      await sleep(Math.min(10_000, seconds * 200), calm)
    }
  }

  end(): Promise<void> {
    return this.#watched.stop()
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
