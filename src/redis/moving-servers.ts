import type { Redis } from 'ioredis'
import { Looks } from '../lib/service/servers/looks.ts'
import { Reachability } from '../lib/service/servers/reachability.ts'
import { StoreError } from '../lib/service/store-error.ts'
import { isAnswer, notDone, reasonOf } from './answers.ts'
import type { RedisClient } from './client.ts'
import { findMasters } from './cluster.ts'
import { findMaster } from './sentinel.ts'
import { ServerClients } from './server-clients.ts'
import type { RedisServers, RedisServersOptions, ShardCount, Whereabouts } from './servers.ts'
import { type ServerMap, StoreTrouble, slotOf } from './slots.ts'

/** Finding the servers, connecting and a handshake take less; after that a service starts without its Redis. */
const OPENING_MS = 2000
/** While a server is away, another one may take its place at any time. */
const RETRY_MS = 250
/** Sentinels are asked again and again: a master that others have left may not know of it. */
const SENTINELS_AGAIN_MS = 2000
const CLUSTER_AGAIN_MS = 5000
const PAUSE_MS = 100
/** The nodes of a cluster tell each other of a move: the one that answers first may not have heard of it. */
const LOOKS = 2

/**
 * The master that sentinels name, or the masters of a cluster. Each has a client of its own, so that one that is away stops
 * nothing but what it holds; and no command is carried from one server to another unseen, as ioredis's own cluster would.
 */
export class MovingServers implements RedisServers {
  readonly #options: RedisServersOptions
  readonly #reachability: Reachability
  readonly #clients: ServerClients
  #map: ServerMap | undefined
  readonly #looks = new Looks(() => this.#find(), PAUSE_MS)
  #timer: NodeJS.Timeout | undefined
  #dueAtMs = Number.POSITIVE_INFINITY
  #isClosed = false
  #metMoveAtMs = Number.NEGATIVE_INFINITY

  constructor(options: RedisServersOptions) {
    const { onChange, onTrouble } = options
    this.#options = options
    this.#reachability = new Reachability({
      openingMs: OPENING_MS,
      onTrouble,
      onChange: (isReachable, reason) => onChange?.(isReachable, reason, this.#where(isReachable))
    })
    this.#clients = new ServerClients({ ...options, reachability: this.#reachability, onState: () => this.#look() })
  }

  async open(): Promise<void> {
    try {
      await this.#reachability.open(() => void this.refresh())
    } catch (error) {
      this.close()
      throw error
    }
  }

  clientOf(key: string): RedisClient {
    const owner = this.#map?.ownerOf(slotOf(key))
    const client = owner === undefined ? undefined : this.#clients.get(owner)
    if (!client) throw new Error('Redis cannot be reached')
    return client
  }

  async run<T>(key: string, work: (redis: Redis) => Promise<T>): Promise<T> {
    const client = this.clientOf(key)
    try {
      return await client.run(work)
    } catch (error) {
      this.#lookAfter(error)
      if (notDone(error) === undefined) throw error
      const other = await this.#successorOf(client, key)
      if (!other) throw error
      return await other.run(work)
    }
  }

  /** Whose the key is now; undefined where it is still that one's. */
  async #successorOf(client: RedisClient, key: string): Promise<RedisClient | undefined> {
    for (let look = 1; look <= LOOKS; look++) {
      await this.refresh()
      const owner = this.clientOf(key)
      if (owner !== client) return owner
    }
    return undefined
  }

  noteFailure(client: RedisClient, error: unknown): void {
    client.noteFailure(error)
    this.#lookAfter(error)
  }

  refresh(): Promise<void> {
    return this.#looks.next()
  }

  shards(): ShardCount | undefined {
    if (!this.#isCluster) return undefined
    const { all } = this.#clients
    return { away: all.filter(client => !client.isUsable).length, all: all.length }
  }

  hasGaps(): boolean {
    return this.#map?.hasGaps === true
  }

  isReady(): boolean {
    return this.#map !== undefined && this.#clients.all.some(client => client.isReady())
  }

  close(): void {
    this.#isClosed = true
    this.#reachability.close()
    clearTimeout(this.#timer)
    this.#clients.close()
  }

  async #find(): Promise<void> {
    if (this.#isClosed) return
    const askedAtMs = performance.now()
    try {
      const map = await this.#ask()
      if (this.#isClosed) return
      const hasMoved = this.#map !== undefined && this.#map.text !== map.text
      this.#map = map
      this.#clients.follow(map, hasMoved)
      this.#options.onMap?.(askedAtMs)
    } catch (error) {
      if (!this.#isClosed) this.#stay(error)
    }
    this.#look()
  }

  get #isCluster(): boolean {
    return this.#options.address.topology === 'cluster'
  }

  #ask(): Promise<ServerMap> {
    const { address, variable, commandTimeoutMs: timeoutMs } = this.#options
    if (!this.#isCluster) return findMaster({ address, variable, timeoutMs })
    return findMasters({ address, variable, timeoutMs, known: [...(this.#map?.servers.values() ?? [])] })
  }

  /** Where that cannot be found out; what is known is used on, unless it may be wrong. */
  #stay(error: unknown): void {
    const refusal = error instanceof Error ? this.#options.refusalOf?.(error) : undefined
    if (error instanceof StoreTrouble) {
      this.#map = undefined
      this.#reachability.tellTrouble(error.message)
    } else if (error instanceof StoreError) this.#reachability.refuse(error)
    else if (refusal) this.#reachability.refuse(refusal)
    else if (!this.#map) this.#tellAway(error instanceof Error ? reasonOf(error) : 'no answer')
  }

  /** Tells how things are, and looks again when they may have changed. */
  #look(): void {
    if (this.#isClosed) return
    const { all, areDecided } = this.#clients
    const away = all.find(client => !client.isUsable)
    const isWhole = this.#map !== undefined && all.length > 0 && !away
    this.#lookIn(isWhole ? (this.#isCluster ? CLUSTER_AGAIN_MS : SENTINELS_AGAIN_MS) : RETRY_MS)
    if (!this.#map || !areDecided) return
    if (away) this.#tellAway(away.reason)
    else if (this.#map.hasGaps) {
      this.#reachability.tellTrouble(
        `${this.#options.variable} names a cluster with slots that no node serves: what is kept there is answered 503 until ` +
          'they are assigned (redis-cli --cluster fix).'
      )
    } else if (isWhole && performance.now() - this.#metMoveAtMs >= CLUSTER_AGAIN_MS) this.#reachability.tell(true)
  }

  #where(isReachable: boolean): Whereabouts {
    const shards = this.shards()
    if (shards) return { shards }
    return isReachable ? {} : { server: this.#map ? 'master at the sentinels' : 'sentinels' }
  }

  #tellAway(reason: string): void {
    this.#reachability.reason = reason
    this.#reachability.tell(false)
  }

  #lookAfter(error: unknown): void {
    const word = notDone(error)
    if (word === undefined && isAnswer(error)) return
    if (word === 'ASK' || word === 'TRYAGAIN') {
      this.#metMoveAtMs = performance.now()
      this.#reachability.tellTrouble(
        `${this.#options.variable} names a cluster that is being resharded: what is in a slot that moves is answered 503 until ` +
          'it has arrived.'
      )
    }
    this.#lookIn(word === undefined ? RETRY_MS : 0)
  }

  #lookIn(ms: number): void {
    const atMs = performance.now() + ms
    if (this.#isClosed || atMs >= this.#dueAtMs) return
    clearTimeout(this.#timer)
    this.#dueAtMs = atMs
    this.#timer = setTimeout(() => {
      this.#dueAtMs = Number.POSITIVE_INFINITY
      void this.refresh()
    }, ms).unref()
  }
}
