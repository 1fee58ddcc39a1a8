// Whether a shard of a Redis Cluster has come to another master whole. A slot that moves brings its keys along one by one
// (MIGRATE answers when the other side has them, redis.io), which loses nothing as long as neither side fails meanwhile. A
// replica that takes the place of its master may lack the last of them. To a client both look the same, but for what follows.
import { notDone } from '../../../redis/answers.ts'
import type { RedisClient } from '../../../redis/client.ts'
import type { ServerFacts } from '../../../redis/server-info.ts'
import type { Shard } from './shards.ts'

/** What the map of the cluster said at one time. */
interface Sight {
  readonly atMs: number
  readonly masters: ReadonlyMap<Shard, RedisClient>
}

/** A shard that has left a master. */
interface Move {
  readonly sight: Sight
  readonly from: RedisClient
  /** The runs of all masters of that sight, none of which has failed since; undefined where one may have. */
  readonly runs: Promise<ReadonlyMap<RedisClient, string> | undefined>
}

export interface ShardMovesOptions {
  /** Undefined where the server does not say; rejects where it cannot be asked. */
  readonly factsOf: (client: RedisClient) => Promise<ServerFacts | undefined>
  /** Milliseconds that never jump, as the map is dated. */
  readonly nowMs: () => number
}

export class ShardMoves {
  readonly #options: ShardMovesOptions
  readonly #moves = new Map<Shard, Move>()
  #sight: Sight | undefined

  constructor(options: ShardMovesOptions) {
    this.#options = options
  }

  /** The map was asked for at that time, and says which master holds each shard. */
  see(masters: ReadonlyMap<Shard, RedisClient>, atMs: number): void {
    const sight = this.#sight
    this.#sight = { atMs, masters }
    const moved = [...(sight?.masters ?? [])].filter(([shard, from]) => masters.get(shard) !== from)
    if (!sight || moved.length === 0) return
    const runs = this.#runsSince(sight)
    for (const [shard, from] of moved) {
      // One that went on before it was greeted was where nobody looked.
      if (this.#moves.has(shard)) this.#moves.delete(shard)
      else this.#moves.set(shard, { sight, from, runs })
    }
  }

  /** The run of the server from which a shard has come to another one with everything it had; empty where that is not proved. */
  async wholeFrom(shard: Shard, to: RedisClient, facts: ServerFacts): Promise<string> {
    const move = this.#moves.get(shard)
    const runs = await move?.runs
    if (!move || !runs || !(await hasLeft(move.from, shard))) return ''
    const known = runs.get(to)
    // One that had no shard yet must not have been the replica of one that had.
    const isNew = known === undefined && !facts.hasForeignHistory && this.#hasRunSince(facts, move.sight)
    return isNew || known === facts.runId ? (runs.get(move.from) ?? '') : ''
  }

  /** It was greeted where it is now. */
  arrived(shard: Shard): void {
    this.#moves.delete(shard)
  }

  async #runsSince(sight: Sight): Promise<ReadonlyMap<RedisClient, string> | undefined> {
    const clients = [...new Set(sight.masters.values())]
    const all = await Promise.all(clients.map(client => this.#options.factsOf(client).catch(() => undefined)))
    const haveRun = all.every(facts => facts && facts.obstacle === undefined && this.#hasRunSince(facts, sight))
    return haveRun ? new Map(clients.map((client, index) => [client, all[index]?.runId ?? ''])) : undefined
  }

  #hasRunSince({ runId, uptimeMs }: ServerFacts, { atMs }: Sight): boolean {
    return runId !== '' && uptimeMs >= this.#options.nowMs() - atMs
  }
}

/** Whether a master knows that it has the shard no more: one that was cut off from the others does not. */
async function hasLeft({ redis }: RedisClient, { memory }: Shard): Promise<boolean> {
  try {
    await redis.exists(memory)
    return false
  } catch (error) {
    return notDone(error) === 'MOVED'
  }
}
