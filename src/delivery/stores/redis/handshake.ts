import { isDeepStrictEqual } from 'node:util'
import type { FailoverPromise } from '../../../lib/service/failover.ts'
import type { RedisAddress } from '../../../lib/service/store-address.ts'
import { StoreError } from '../../../lib/service/store-error.ts'
import type { Emit } from '../../../observability/events.ts'
import { isOfCredentials, notDone } from '../../../redis/answers.ts'
import type { RedisClient } from '../../../redis/client.ts'
import { redisServers } from '../../../redis/open-servers.ts'
import { type Argument, ScriptRunner, type SharedRedis, UnknownScript } from '../../../redis/scripts.ts'
import type { RedisServers } from '../../../redis/servers.ts'
import { ServerRun } from '../server-run.ts'
import { greet } from './greeting.ts'
import type { ServerNow } from './judgement.ts'
import { ShardMoves } from './moves.ts'
import { ReplicasOfServers } from './replicas.ts'
import { type Scripts, scriptsOf, type Transition } from './scripts.ts'
import { factsOf, requireWait, runOf, type SeenServer, seeServer } from './server-now.ts'
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

/** One run of one server, what it said of itself, and the scripts as they were told to it. */
interface ToldRun {
  readonly now: ServerNow
  readonly scripts: Scripts
}

const TOO_FEW_REPLICAS = 'fewer than STORE_WAIT_REPLICAS replicas confirm records: replies with a key are not sent'
const HEARTBEAT_MS = 2000
/** A node of a cluster that shows no INFO, or of which INFO says nothing. */
const OF_A_CLUSTER = /^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b/
/** They rest on what an acquisition saw, which may be lost by now. */
const RESTS_ON_ACQUISITION: ReadonlySet<Transition> = new Set(['markSent', 'takeOver'])

/**
 * The records' connection to Redis. It greets each server before anything else is said: may records be kept there, does it
 * take them, and is it still the one that held each shard before?
 */
export class RedisSession {
  readonly shards: Shards
  readonly #options: RedisSessionOptions
  readonly #servers: RedisServers
  readonly #runners = new WeakMap<RedisClient, ScriptRunner>()
  readonly #told = new WeakMap<RedisClient, ToldRun>()
  /** The run to which each shard was introduced last. */
  readonly #greeted = new Map<Shard, ToldRun>()
  /** Where replicas have to confirm records. */
  readonly #replicas: ReplicasOfServers
  readonly #moves = new ShardMoves({
    factsOf: client => factsOf(client.redis, true),
    nowMs: () => performance.now()
  })
  #beats = 0
  #hasWarned = false

  constructor(options: RedisSessionOptions) {
    const { address, commandTimeoutMs, emit, monotonic, lossMattersMs, promise } = options
    this.#options = options
    this.#replicas = new ReplicasOfServers({
      needed: promise.waitReplicas,
      onChange: areEnough => emit({ name: 'store-replicas', areEnough })
    })
    this.shards = new Shards(address.topology === 'cluster', () => new ServerRun(monotonic, lossMattersMs))
    this.#servers = redisServers({
      variable: 'STORE_URL',
      address,
      commandTimeoutMs,
      // Again and again: a proxy may lead to another server without the loss of a connection.
      heartbeatMs: HEARTBEAT_MS,
      handshake: (client, isSame) => this.#greet(client, isSame),
      refusalOf: error => refusalOf(error, address.topology),
      onMap: askedAtMs => this.#moves.see(this.#masters(), askedAtMs),
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
        return { scripts: this.#runnerOf(client), noteFailure: error => servers.noteFailure(client, error) }
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
    const told = this.#told.get(client)
    if (!told || this.#greeted.get(shard) !== told) return false
    return (
      (await this.#replicas
        .of(client)
        ?.confirm(told.scripts.markSent, [prefix + key, memory], [server.epoch, ...args])) === true
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
    const told = this.#told.get(client)
    if (!told || this.#greeted.get(shard) !== told) return undefined
    const askedAtMs = this.#options.monotonic()
    try {
      const script = told.scripts[transition]
      const answer = await this.#runnerOf(client).run(script, [prefix + key, memory], [server.epoch, ...args])
      if (answer[0] === 'greet-again') {
        this.#greeted.delete(shard)
        return undefined
      }
      if (typeof answer[1] === 'number') server.observe(answer[1], askedAtMs)
      // The other instances learn of a jump from what the greeting writes.
      if (server.hasNews) client.handshakeSoon()
      return answer
    } catch (error) {
      if (error instanceof UnknownScript) {
        this.#told.delete(client)
        return undefined
      }
      this.#servers.noteFailure(client, error)
      if (this.#options.address.topology === 'single' || notDone(error) === undefined) throw error
      await this.#servers.refresh()
      return undefined
    }
  }

  async #greet(client: RedisClient, isSame: () => boolean): Promise<void> {
    const isCluster = this.#options.address.topology === 'cluster'
    const { now, facts, limit } = await seeServer(client.redis, isCluster)
    if (this.#replicas.areNeeded) {
      await requireWait(client.redis, now)
      await this.#replicas.meet(client, now.replicas)
    }
    if (!isSame()) return
    const known = this.#told.get(client)
    const isKnown = known !== undefined && known.now.run === now.run && now.run !== ''
    const scripts = isKnown ? known.scripts : scriptsOf(now.run, this.#options.timeShim)
    const run = isKnown && isDeepStrictEqual(known.now, now) ? known : { now, scripts }
    const due = this.#dueAt(client, run)
    const greetings = due.map(shard => this.#introduce(shard, client, run, facts, isSame))
    const [told] = await Promise.all([Promise.all(greetings), isKnown ? undefined : this.#tell(client, run)])
    if (!isSame()) return
    this.#told.set(client, run)
    for (const [index, shard] of due.entries()) if (told[index]) this.#greeted.set(shard, run)
    this.#warnOf(limit)
  }

  /** Those to which that run is news, or which have news for it; or one: only a write shows that writes are taken. */
  #dueAt(client: RedisClient, run: ToldRun): readonly Shard[] {
    const shards = this.shards.all.filter(shard => this.#clientOf(shard) === client)
    const due = shards.filter(shard => this.#greeted.get(shard) !== run || shard.server.hasNews)
    const turn = this.#beats++ % Math.max(1, shards.length)
    return due.length > 0 ? due : shards.slice(turn, turn + 1)
  }

  /** False where the shard is on the move, and could not be greeted. */
  async #introduce(
    shard: Shard,
    client: RedisClient,
    run: ToldRun,
    facts: SeenServer['facts'],
    isSame: () => boolean
  ): Promise<boolean> {
    try {
      const movedFrom = facts ? await this.#moves.wholeFrom(shard, client, facts) : ''
      await this.#greetShard(shard, client, movedFrom === '' ? run : { ...run, now: { ...run.now, movedFrom } })
      this.#moves.arrived(shard)
      // Told of a jump that this answer has shown, the server begins another epoch.
      while (shard.server.hasNews && isSame()) await this.#greetShard(shard, client, run)
      return true
    } catch (error) {
      if (this.#options.address.topology !== 'cluster' || notDone(error) === undefined) throw error
      this.#servers.noteFailure(client, error)
      return false
    }
  }

  async #greetShard(shard: Shard, client: RedisClient, { now, scripts }: ToldRun): Promise<void> {
    const askedAtMs = this.#options.monotonic()
    const greeting = await greet(this.#runnerOf(client), shard, scripts, now, this.#options.promise)
    shard.server.greeted(now.run, greeting, askedAtMs)
    // They have the same clock.
    for (const [other, run] of this.#greeted) {
      if (run.now.run === now.run && other !== shard && now.run !== '') {
        other.server.observe(greeting.nowMs, askedAtMs)
      }
    }
  }

  /** Makes the scripts known to this run of the server, and to it alone. */
  async #tell({ redis }: RedisClient, { now, scripts }: ToldRun): Promise<void> {
    const runner = new ScriptRunner(redis)
    const telling = Object.values(scripts).map(one => runner.runText(one, [], []))
    // Asked again, so that all of this was said to one server: a proxy may lead elsewhere between two words.
    const [run] = await Promise.all([runOf(redis), ...telling])
    if (run !== now.run) throw new Error('another server')
  }

  /** What can be said of a loss, once. */
  #warnOf(limit: SeenServer['limit']): void {
    if (limit && !this.#hasWarned) this.#options.emit({ name: 'store-limit', limit })
    this.#hasWarned = true
  }

  #masters(): ReadonlyMap<Shard, RedisClient> {
    return new Map(
      this.shards.all.flatMap(shard => {
        const client = this.#clientOf(shard)
        return client ? [[shard, client] as const] : []
      })
    )
  }

  /** Undefined while that is not known. */
  #clientOf({ memory }: Shard): RedisClient | undefined {
    try {
      return this.#servers.clientOf(memory)
    } catch {
      return undefined
    }
  }

  #runnerOf(client: RedisClient): ScriptRunner {
    const known = this.#runners.get(client)
    const runner = known ?? new ScriptRunner(client.redis)
    if (!known) this.#runners.set(client, runner)
    return runner
  }
}

function refusalOf(error: Error, topology: RedisAddress['topology']): StoreError | undefined {
  if (topology !== 'cluster' && OF_A_CLUSTER.test(error.message)) {
    return new StoreError(
      'STORE_URL names a node of a Redis Cluster: write redis+cluster:// or rediss+cluster:// in the place of its scheme.'
    )
  }
  if (!isOfCredentials(error)) return undefined
  return new StoreError(
    'STORE_URL names a Redis that refuses its user or password, or what the user has to do: EVAL, EVALSHA, EXISTS, TIME, ' +
      'TYPE, HMGET, HSET, HDEL, DEL and PEXPIRE on reply:*, and SELECT for another database than 0.'
  )
}
