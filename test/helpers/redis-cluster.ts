// A Redis Cluster of one's own: its masters share the slots, each with a replica where it is asked for.
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { type RedisServer, type RedisSettings, startRedis } from './redis-server.ts'
import { until } from './until.ts'

export interface RedisCluster {
  readonly url: string
  readonly masters: readonly RedisServer[]
  /** Of each master, in their order; empty without replicas. */
  readonly replicas: readonly RedisServer[]
  /** The master that a key is at now. */
  masterOf(key: string): Promise<RedisServer>
  /** Begins to move a slot to another master: keys that are not there yet are asked for in vain. */
  beginMove(slot: number, to: RedisServer): Promise<void>
  /** Moves the keys of a slot that is on the move, and tells every node whose it is. */
  endMove(slot: number, to: RedisServer): Promise<void>
  /** One word to every node that runs. */
  tellAll(...command: readonly (string | number)[]): Promise<void>
  stop(): Promise<void>
}

export interface ClusterOptions {
  readonly masters?: number
  readonly hasReplicas?: boolean
  readonly settings?: RedisSettings
  /** Before the hosts in the URL. */
  readonly credentials?: string
}

const SLOTS = 16_384
const SETTINGS: RedisSettings = {
  'cluster-enabled': 'yes',
  'cluster-node-timeout': '700',
  'cluster-replica-validity-factor': '0',
  // A shard that is away takes no other with it.
  'cluster-require-full-coverage': 'no'
}

/** Starts a cluster that ends with the test. */
export async function clusterFor(t: Test, options: ClusterOptions = {}): Promise<RedisCluster> {
  const cluster = await startCluster(options)
  t.teardown(() => cluster.stop())
  return cluster
}

export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters: count = 3, hasReplicas = false, settings, credentials = '' } = options
  const start = (): Promise<RedisServer> => startRedis({ ...SETTINGS, ...settings })
  const masters = await Promise.all(Array.from({ length: count }, start))
  const replicas = await Promise.all(hasReplicas ? masters.map(start) : [])
  const nodes = [...masters, ...replicas]
  const ids = new Map<RedisServer, string>()
  const cluster = new Cluster(masters, replicas, ids, credentials)
  await Promise.all(
    nodes.map(async (node, index) => {
      ids.set(node, String(await node.command('CLUSTER', 'MYID')))
      await node.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
      if (index < count) await node.command('CLUSTER', 'ADDSLOTSRANGE', firstSlot(index), firstSlot(index + 1) - 1)
    })
  )
  function firstSlot(index: number): number {
    return Math.floor((index * SLOTS) / count)
  }
  const [first, ...others] = nodes
  for (const other of others) await first?.command('CLUSTER', 'MEET', '127.0.0.1', other.port)
  await until(() => everyNode(nodes, text => new RegExp(`cluster_known_nodes:${nodes.length}\\r`).test(text)))
  for (const [index, replica] of replicas.entries()) {
    const master = masters[index]
    const id = (master && ids.get(master)) ?? ''
    // Nodes that are still shaking hands have other names.
    await until(() =>
      replica.command('CLUSTER', 'REPLICATE', id).then(
        () => true,
        () => false
      )
    )
  }
  await until(() => everyNode(nodes, text => text.includes('cluster_state:ok')))
  await until(async () => {
    const infos = await Promise.all(replicas.map(replica => replica.command('INFO', 'replication')))
    return infos.every(info => String(info).includes('master_link_status:up'))
  })
  return cluster
}

async function everyNode(nodes: readonly RedisServer[], fits: (info: string) => boolean): Promise<boolean> {
  const infos = await Promise.all(nodes.map(node => node.command('CLUSTER', 'INFO')))
  return infos.every(info => fits(String(info)))
}

class Cluster implements RedisCluster {
  readonly url: string
  readonly masters: readonly RedisServer[]
  readonly replicas: readonly RedisServer[]

  readonly #ids: ReadonlyMap<RedisServer, string>

  constructor(
    masters: readonly RedisServer[],
    replicas: readonly RedisServer[],
    ids: ReadonlyMap<RedisServer, string>,
    credentials: string
  ) {
    this.#ids = ids
    this.masters = masters
    this.replicas = replicas
    const hosts = [...masters, ...replicas].map(({ port }) => `127.0.0.1:${port}`)
    this.url = `redis+cluster://${credentials}${hosts.join()}`
  }

  async masterOf(key: string): Promise<RedisServer> {
    return this.#ownerOf(Number(await this.#any('CLUSTER', 'KEYSLOT', key)))
  }

  async beginMove(slot: number, to: RedisServer): Promise<void> {
    const from = await this.#ownerOf(slot)
    if (from === to) return
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', this.#idOf(from))
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', this.#idOf(to))
  }

  async endMove(slot: number, to: RedisServer): Promise<void> {
    const from = await this.#ownerOf(slot)
    if (from === to) return
    const source = new Redis({ host: '127.0.0.1', port: from.port })
    try {
      for (;;) {
        const keys = (await source.cluster('GETKEYSINSLOT', slot, 100)) as string[]
        if (keys.length === 0) break
        await source.migrate('127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys)
      }
    } finally {
      source.disconnect()
    }
    // The others are told by the one that has it now.
    for (const node of [to, from]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', this.#idOf(to))
  }

  async tellAll(...[name = '', ...args]: readonly (string | number)[]): Promise<void> {
    await Promise.all(this.#nodes.map(node => node.command(String(name), ...args).catch(() => undefined)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map(node => node.stop()))
  }

  #idOf(node: RedisServer): string {
    return this.#ids.get(node) ?? ''
  }

  get #nodes(): readonly RedisServer[] {
    return [...this.masters, ...this.replicas]
  }

  async #ownerOf(slot: number): Promise<RedisServer> {
    const ranges = (await this.#any('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    const range = ranges.find(([begin, end]) => begin <= slot && slot <= end)
    const found = this.#nodes.find(({ port }) => port === range?.[2][1])
    if (!found) throw new Error(`no node serves slot ${slot}`)
    return found
  }

  #any(name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    return Promise.any(this.#nodes.map(node => node.command(name, ...args)))
  }
}
