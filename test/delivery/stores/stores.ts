// The stores that every suite of promises runs over. A new one is one entry in STORES.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RecordStore } from '../../../src/delivery/record.ts'
import { createMemoryStore } from '../../../src/delivery/stores/memory/store.ts'
import { createFileStore } from '../../../src/delivery/stores/sqlite/store.ts'
import { startPostgres, withoutPostgres } from '../../helpers/postgres-server.ts'
import { startCluster } from '../../helpers/redis-cluster.ts'
import { startWatched } from '../../helpers/redis-sentinel.ts'
import { startRedis, withoutRedis } from '../../helpers/redis-server.ts'
import { postgresInVirtualTime } from '../model/postgres-in-virtual-time.ts'
import { clockOf, connectToRedis } from '../model/redis-in-virtual-time.ts'
import type { SharedStore, World } from '../model/world.ts'
import { wrapStore } from '../wrap-store.ts'
import { ClusterClock } from './redis/cluster-clock.ts'

export interface StoreUnderTest {
  readonly name: string
  readonly open: (world: World) => Promise<SharedStore> | SharedStore
  /** Of the scenarios that a store in memory gets, the part that a slower one can afford. */
  readonly share: number
  /** Where time is partly real, CometChat must be so much faster than the quiet period for the judge to be sure. */
  readonly marginMs: number
}

/** What the suite needs to begin and to end with. */
export interface Stores {
  readonly stores: readonly StoreUnderTest[]
  /** Which are not here, and why. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[]
  close(): Promise<void>
}

export const MEMORY: StoreUnderTest = {
  name: 'memory:',
  share: 1,
  marginMs: 0,
  open(world) {
    const store = createMemoryStore({ monotonic: () => world.nowMs })
    return { connect: () => store, close: () => store.close() }
  }
}

/** As Redis is after a failover to a replica that had received nothing. */
export const FORGETFUL: StoreUnderTest = {
  name: 'forgetful:',
  share: 0.5,
  marginMs: 0,
  open(world) {
    const open = (): RecordStore => createMemoryStore({ monotonic: () => world.nowMs })
    let store = open()
    let forgotAtMs: number | undefined
    const shared = wrapStore<RecordStore>(() => store, {
      msSinceDataLoss: () => (forgotAtMs === undefined ? undefined : world.nowMs - forgotAtMs),
      isReady: () => true
    })
    return {
      connect: () => shared,
      forget() {
        forgotAtMs = world.nowMs
        store = open()
        world.note('the store forgets')
      },
      close: () => shared.close()
    }
  }
}

const FILE: StoreUnderTest = {
  name: 'file:',
  share: 0.03,
  marginMs: 0,
  open(world) {
    const directory = mkdtempSync(join(tmpdir(), 'records-'))
    const opened: RecordStore[] = []
    return {
      connect(process) {
        const store = createFileStore({ path: join(directory, 'records.db'), clock: world.clock(process) })
        opened.push(store)
        return store
      },
      async close() {
        for (const store of opened) await store.close()
        rmSync(directory, { recursive: true, force: true })
      }
    }
  }
}

const OVER_REDIS = {
  name: 'redis:',
  share: 0.03,
  missing: withoutRedis,
  async start() {
    const redis = await startRedis()
    return { open: (world: World) => connectToRedis(redis.url, world), stop: () => redis.stop() }
  }
}

const OVER_SENTINEL = {
  name: 'redis+sentinel:',
  // Each start of a process asks the sentinels.
  share: 0.005,
  missing: withoutRedis,
  async start() {
    const { url, master, stop } = await startWatched({ sentinels: 1 })
    return { open: (world: World) => connectToRedis(url, world, clockOf(master.url)), stop }
  }
}

const OVER_CLUSTER = {
  name: 'redis+cluster:',
  // Each step of time is told to all shards.
  share: 0.004,
  missing: withoutRedis,
  async start() {
    const cluster = await startCluster()
    const open = (world: World) => connectToRedis(cluster.url, world, new ClusterClock(cluster.masters))
    return { open, stop: () => cluster.stop() }
  }
}

const OVER_POSTGRES = {
  name: 'postgres:',
  // Each connection is a process.
  share: 0.01,
  missing: withoutPostgres,
  async start() {
    const postgres = await startPostgres()
    const ends: (() => unknown)[] = []
    const open = await postgresInVirtualTime({ teardown: end => void ends.push(end) }, postgres)
    return {
      open,
      async stop() {
        for (const end of ends) await end()
        await postgres.stop()
      }
    }
  }
}

/** Every store that this machine has. */
export async function startStores(): Promise<Stores> {
  const servers = [OVER_REDIS, OVER_SENTINEL, OVER_CLUSTER, OVER_POSTGRES].map(server => ({
    ...server,
    reason: server.missing()
  }))
  const started = await Promise.all(
    servers
      .filter(({ reason }) => reason === undefined)
      .map(async ({ name, share, start }) => ({ ...(await start()), name, share, marginMs: 0 }))
  )
  return {
    stores: [MEMORY, FORGETFUL, FILE, ...started],
    missing: servers.flatMap(({ name, reason }) => (reason === undefined ? [] : [{ name, reason }])),
    close: async () => void (await Promise.all(started.map(({ stop }) => stop())))
  }
}
