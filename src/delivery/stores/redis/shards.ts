import { slotOf } from '../../../redis/slots.ts'
import type { ServerRun } from '../server-run.ts'
import { LOSS_REASONS, type LossReason } from './judgement.ts'

/** Records that one server holds, and loses, together. What is judged of that server is judged for each shard. */
export interface Shard {
  /** Before the name of each of its records in Redis. */
  readonly prefix: string
  /** The key of what the scripts remember of the server; no record is called so, because their names are longer. */
  readonly memory: string
  /** What this process knows of the server that holds it: run, epoch, clock, and when records may last have got lost. */
  readonly server: ServerRun
}

function sinceLoss({ server }: Shard): number {
  return server.msSinceDataLoss() ?? Number.POSITIVE_INFINITY
}

const PREFIX = 'reply:'
/**
 * Of a Redis Cluster. Each shard lies in one slot, its memory with its records, so that they move together. A number for
 * good: with another one the records that exist would not be found.
 */
const IN_A_CLUSTER = 256
const SLOTS_OF_EACH = 16_384 / IN_A_CLUSTER

/** All shards of a store. */
export class Shards {
  readonly all: readonly [Shard, ...Shard[]]

  constructor(isCluster: boolean, newServer: () => ServerRun) {
    this.all = isCluster ? shardsOfCluster(newServer) : [shard(PREFIX, newServer())]
  }

  /** The shard of the record with this key. */
  of(key: string): Shard {
    const [first] = this.all
    return this.all.length === 1 ? first : (this.all[rangeOf(key)] ?? first)
  }

  /** Why the shard that may have lost records last did, in words for the operator. */
  whyLost(): string | undefined {
    const last = this.all.toSorted((a, b) => sinceLoss(a) - sinceLoss(b))[0]?.server.whyLost()
    return last !== undefined && Object.hasOwn(LOSS_REASONS, last) ? LOSS_REASONS[last as LossReason] : undefined
  }

  /** Of the shard that a key is in, which may have lost all until it is greeted; without one, since any shard last may have. */
  msSinceDataLoss(key?: string): number | undefined {
    if (key !== undefined) {
      const { server } = this.of(key)
      return server.isMet ? server.msSinceDataLoss() : 0
    }
    const losses = this.all.flatMap(({ server }) => server.msSinceDataLoss() ?? [])
    return losses.length === 0 ? undefined : Math.min(...losses)
  }
}

function shard(prefix: string, server: ServerRun): Shard {
  return { prefix, memory: `${prefix}meta`, server }
}

/** One in each of as many equal ranges of slots, so that masters with as many slots get as many shards. */
function shardsOfCluster(newServer: () => ServerRun): [Shard, ...Shard[]] {
  const tags = new Map<number, string>()
  for (let number = 0; tags.size < IN_A_CLUSTER; number++) {
    const range = rangeOf(String(number))
    if (!tags.has(range)) tags.set(range, String(number))
  }
  const at = (range: number): Shard => shard(`${PREFIX}{${tags.get(range)}}`, newServer())
  return [at(0), ...Array.from({ length: IN_A_CLUSTER - 1 }, (_, index) => at(index + 1))]
}

function rangeOf(key: string): number {
  return Math.floor(slotOf(key) / SLOTS_OF_EACH)
}
