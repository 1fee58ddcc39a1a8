// What precedes everything else that is said to a server: may records be kept there, does it take them, and is it still the
// one that held each shard before?
import { isDeepStrictEqual } from 'node:util'
import type { FailoverPromise } from '../../../lib/service/failover.ts'
import type { Emit } from '../../../observability/events.ts'
import { notDone } from '../../../redis/answers.ts'
import type { RedisClient } from '../../../redis/client.ts'
import { ScriptRunner } from '../../../redis/scripts.ts'
import { greet } from './greeting.ts'
import type { ServerNow } from './judgement.ts'
import { ShardMoves } from './moves.ts'
import type { ReplicasOfServers } from './replicas.ts'
import { type Scripts, scriptsOf } from './scripts.ts'
import { factsOf, requireWait, runOf, type SeenServer, seeServer } from './server-now.ts'
import type { Shard, Shards } from './shards.ts'

export interface HandshakesOptions {
  readonly isCluster: boolean
  readonly shards: Shards
  readonly replicas: ReplicasOfServers
  readonly monotonic: () => number
  readonly promise: FailoverPromise
  readonly timeShim: string | undefined
  readonly emit: Emit
  /** Of the server that holds a shard; undefined while that is not known. */
  readonly clientOf: (shard: Shard) => RedisClient | undefined
  readonly noteFailure: (client: RedisClient, error: unknown) => void
}

/** One run of one server, what it said of itself, and the scripts as they were told to it. */
interface ToldRun {
  readonly now: ServerNow
  readonly scripts: Scripts
}

/** Greets each server, introduces the shards that it holds, and tells it the scripts. */
export class Handshakes {
  readonly #options: HandshakesOptions
  readonly #runners = new WeakMap<RedisClient, ScriptRunner>()
  readonly #told = new WeakMap<RedisClient, ToldRun>()
  /** The run to which each shard was introduced last. */
  readonly #greeted = new Map<Shard, ToldRun>()
  readonly #moves = new ShardMoves({
    factsOf: client => factsOf(client.redis, true),
    nowMs: () => performance.now()
  })
  #beats = 0
  #hasWarned = false

  constructor(options: HandshakesOptions) {
    this.#options = options
  }

  /** The scripts as they are known to the server that a shard was introduced to; undefined where that has to be done first. */
  scriptsFor(shard: Shard, client: RedisClient): Scripts | undefined {
    const told = this.#told.get(client)
    return told && this.#greeted.get(shard) === told ? told.scripts : undefined
  }

  /** What was greeted is no longer there. */
  forgetShard(shard: Shard): void {
    this.#greeted.delete(shard)
  }

  /** Its scripts are no longer known. */
  forgetServer(client: RedisClient): void {
    this.#told.delete(client)
  }

  runnerOf(client: RedisClient): ScriptRunner {
    const known = this.#runners.get(client)
    const runner = known ?? new ScriptRunner(client.redis)
    if (!known) this.#runners.set(client, runner)
    return runner
  }

  /** Takes note of which server holds what; that was asked for at this time, on performance.now(). */
  seeMap(askedAtMs: number): void {
    this.#moves.see(this.#masters(), askedAtMs)
  }

  /** Rejects where this server cannot be used. */
  async greet(client: RedisClient, isSame: () => boolean): Promise<void> {
    const { isCluster, replicas, timeShim } = this.#options
    const { now, facts, limit } = await seeServer(client.redis, isCluster)
    if (replicas.areNeeded) {
      await requireWait(client.redis, now)
      await replicas.meet(client, now.replicas)
    }
    if (!isSame()) return
    const known = this.#told.get(client)
    const isKnown = known !== undefined && known.now.run === now.run && now.run !== ''
    const scripts = isKnown ? known.scripts : scriptsOf(now.run, timeShim)
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
    const shards = this.#options.shards.all.filter(shard => this.#options.clientOf(shard) === client)
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
      if (!this.#options.isCluster || notDone(error) === undefined) throw error
      this.#options.noteFailure(client, error)
      return false
    }
  }

  async #greetShard(shard: Shard, client: RedisClient, { now, scripts }: ToldRun): Promise<void> {
    const askedAtMs = this.#options.monotonic()
    const greeting = await greet(this.runnerOf(client), shard, scripts, now, this.#options.promise)
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
      this.#options.shards.all.flatMap(shard => {
        const client = this.#options.clientOf(shard)
        return client ? [[shard, client] as const] : []
      })
    )
  }
}
