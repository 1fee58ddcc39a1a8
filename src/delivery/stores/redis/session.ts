import type { FailoverPromise } from '../../../lib/service/failover.ts'
import type { RedisAddress } from '../../../lib/service/store-address.ts'
import type { Emit } from '../../../observability/events.ts'
import { notDone } from '../../../redis/answers.ts'
import type { RedisClient } from '../../../redis/client.ts'
import { redisServers } from '../../../redis/open-servers.ts'
import { type Argument, type SharedRedis, UnknownScript } from '../../../redis/scripts.ts'
import type { RedisServers } from '../../../redis/servers.ts'
import { ServerRun } from '../server-run.ts'
import { Handshakes } from './handshake.ts'
import { refusalOf } from './refusal.ts'
import { ReplicasOfServers } from './replicas.ts'
import type { Transition } from './scripts.ts'
import { type Shard, Shards } from './shards.ts'

export interface RedisSessionOptions {
  readonly address: RedisAddress
  readonly monotonic: () => number
  readonly emit: Emit
  /** For how long the loss of a record matters, in milliseconds. */
  readonly lossMattersMs: number
  readonly commandTimeoutMs: number
  readonly promise: FailoverPromise
  /** For tests, which cannot move the clock of a Redis: Lua that changes `now`, in milliseconds. */
  readonly timeShim?: string | undefined
}

const TOO_FEW_REPLICAS = 'fewer than STORE_WAIT_REPLICAS replicas confirm records: replies with a key are not sent'
const UNSERVED = 'slots of STORE_URL are served by no node: their keys are answered 503'
const HEARTBEAT_MS = 2000
/** They rest on what an acquisition saw, which may be lost by now. */
const RESTS_ON_ACQUISITION: ReadonlySet<Transition> = new Set(['markSent', 'takeOver'])

/** The records' connection to Redis: each transition, at the server that holds its record and was greeted. */
export class RedisSession {
  readonly shards: Shards
  readonly #options: RedisSessionOptions
  readonly #servers: RedisServers
  readonly #handshakes: Handshakes
  /** Where replicas have to confirm records. */
  readonly #replicas: ReplicasOfServers

  constructor(options: RedisSessionOptions) {
    const { address, commandTimeoutMs, emit, monotonic, lossMattersMs, promise } = options
    this.#options = options
    this.#replicas = new ReplicasOfServers({
      needed: promise.waitReplicas,
      onChange: areEnough => emit({ name: 'store-replicas', areEnough })
    })
    const isCluster = address.topology === 'cluster'
    this.shards = new Shards(isCluster, () => new ServerRun(monotonic, lossMattersMs))
    this.#handshakes = new Handshakes({
      isCluster,
      shards: this.shards,
      replicas: this.#replicas,
      monotonic,
      promise,
      timeShim: options.timeShim,
      emit,
      clientOf: shard => this.#clientOf(shard),
      noteFailure: (client, error) => this.#servers.noteFailure(client, error)
    })
    this.#servers = redisServers({
      variable: 'STORE_URL',
      address,
      commandTimeoutMs,
      // Again and again: a proxy may lead to another server without the loss of a connection.
      heartbeatMs: HEARTBEAT_MS,
      handshake: (client, isSame) => this.#handshakes.greet(client, isSame),
      refusalOf: error => refusalOf(error, address.topology),
      onMap: askedAtMs => this.#handshakes.seeMap(askedAtMs),
      onChange: (isReachable, reason, where) =>
        emit({ name: 'reachability', part: 'store', isReachable, reason, ...where }),
      onTrouble: problem => emit({ name: 'store-unusable', problem })
    })
  }

  /** For what is kept beside the records. */
  get shared(): SharedRedis {
    const servers = this.#servers
    return {
      isCluster: this.#options.address.topology === 'cluster',
      at: key => {
        const client = servers.clientOf(key)
        client.requireUsable()
        return { scripts: this.#handshakes.runnerOf(client), noteFailure: error => servers.noteFailure(client, error) }
      }
    }
  }

  /** Resolves when it is clear whether Redis is there; throws a StoreError where records must not be kept. */
  open(): Promise<void> {
    return this.#servers.open()
  }

  /** Moves a record on; rejects when that may or may not have happened, and at once while its server is not there. */
  async run(transition: Transition, key: string, ...args: readonly Argument[]): Promise<readonly unknown[]> {
    const shard = this.shards.of(key)
    const { epoch } = shard.server
    const answer = await this.#ask(shard, transition, key, args)
    if (answer) return answer
    // What was greeted is no longer there: emptied, another server at the same connection, or the shard has moved. Nothing
    // has happened.
    await this.#servers.clientOf(shard.memory).handshake()
    const isLost = RESTS_ON_ACQUISITION.has(transition) && epoch !== shard.server.epoch
    const again = isLost ? undefined : await this.#ask(shard, transition, key, args)
    if (again) return again
    throw new Error('Redis may have lost the record')
  }

  /** Whether replicas have to confirm records. */
  get hasReplicas(): boolean {
    return this.#replicas.areNeeded
  }

  /**
   * Whether enough replicas have what says that a reply may have been sent: the record is marked SENT once more where they are
   * asked, so that it is the one of this server, this epoch and this owner.
   */
  async confirmSent(key: string, ...args: readonly Argument[]): Promise<boolean> {
    const shard = this.shards.of(key)
    const { prefix, memory, server } = shard
    const client = this.#servers.clientOf(memory)
    const scripts = this.#handshakes.scriptsFor(shard, client)
    if (!scripts) return false
    return (
      (await this.#replicas.of(client)?.confirm(scripts.markSent, [prefix + key, memory], [server.epoch, ...args])) ===
      true
    )
  }

  isReady(): boolean {
    return this.#servers.isReady()
  }

  /** What the operator should know while it works. */
  warnings(): readonly string[] {
    const { away = 0, all = 0 } = this.#servers.shards() ?? {}
    return [
      ...(away === 0 ? [] : [`${away} of ${all} shards of STORE_URL cannot be reached: their keys are answered 503`]),
      ...(this.#servers.hasGaps() ? [UNSERVED] : []),
      ...(this.#replicas.areEnough ? [] : [TOO_FEW_REPLICAS])
    ]
  }

  close(): void {
    this.#servers.close()
  }

  /** Undefined when the server has to be greeted again, and has done nothing. */
  async #ask(
    shard: Shard,
    transition: Transition,
    key: string,
    args: readonly Argument[]
  ): Promise<readonly unknown[] | undefined> {
    const { prefix, memory, server } = shard
    const client = this.#servers.clientOf(memory)
    client.requireUsable()
    const scripts = this.#handshakes.scriptsFor(shard, client)
    if (!scripts) return undefined
    const askedAtMs = this.#options.monotonic()
    try {
      const runner = this.#handshakes.runnerOf(client)
      const answer = await runner.run(scripts[transition], [prefix + key, memory], [server.epoch, ...args])
      if (answer[0] === 'greet-again') {
        this.#handshakes.forgetShard(shard)
        return undefined
      }
      if (typeof answer[1] === 'number') server.observe(answer[1], askedAtMs)
      // The other instances learn of a jump from what the greeting writes.
      if (server.hasNews) client.handshakeSoon()
      return answer
    } catch (error) {
      if (error instanceof UnknownScript) {
        this.#handshakes.forgetServer(client)
        return undefined
      }
      this.#servers.noteFailure(client, error)
      if (this.#options.address.topology === 'single' || notDone(error) === undefined) throw error
      await this.#servers.refresh()
      return undefined
    }
  }

  /** Undefined while that is not known. */
  #clientOf({ memory }: Shard): RedisClient | undefined {
    try {
      return this.#servers.clientOf(memory)
    } catch {
      return undefined
    }
  }
}
