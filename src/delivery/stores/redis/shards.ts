import { ServerRun } from '../server-run.ts'

/** Records that one server holds, and loses, together. What is judged of that server is judged for each shard. */
export interface Shard {
  /** Before the name of each of its records in Redis. */
  readonly prefix: string
  /** The key of what the scripts remember of the server; no record is called so, because their names are longer. */
  readonly memory: string
  /** What this process knows of the server that holds it: run, epoch, clock, and when records may last have got lost. */
  readonly server: ServerRun
}

const PREFIX = 'reply:'

/** All shards of a store. A single Redis has one. */
export class Shards {
  readonly all: readonly [Shard, ...Shard[]]

  constructor(monotonic: () => number, lossMattersMs: number) {
    const server = new ServerRun(monotonic, lossMattersMs)
    this.all = [{ prefix: PREFIX, memory: `${PREFIX}meta`, server }]
  }

  /** The shard of the record with this key. */
  of(_key: string): Shard {
    return this.all[0]
  }

  /** Of the shard that a key is in; without one, since any shard last may have lost records. */
  msSinceDataLoss(key?: string): number | undefined {
    if (key !== undefined) return this.of(key).server.msSinceDataLoss()
    const losses = this.all.flatMap(({ server }) => server.msSinceDataLoss() ?? [])
    return losses.length === 0 ? undefined : Math.min(...losses)
  }
}
