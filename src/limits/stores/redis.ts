import { randomUUID } from 'node:crypto'
import { type Argument, type Script, UnknownScript } from '../../redis/scripts.ts'
import type { SharedRedis } from '../../redis/shared.ts'
import type { Freeing } from '../cells.ts'
import type { QuotaStore, Reserved, ReserveOrder } from '../quota-store.ts'
import type { LogAnswer, LogCharge } from '../sliding-log.ts'
import { type QuotaScripts, quotaScripts } from './redis-scripts.ts'

/** Beside the records, under the names that the user of this Redis may touch. */
const PREFIX = 'reply:quota:'

/** Quotas of all instances, in the Redis of the records and on its connection: a charge flies with a claim. */
export class RedisQuotas implements QuotaStore {
  readonly isShared = true
  readonly #redis: SharedRedis
  readonly #scripts: QuotaScripts
  readonly #instance = randomUUID()

  constructor(redis: SharedRedis, timeShim?: string) {
    this.#redis = redis
    this.#scripts = quotaScripts(timeShim)
  }

  async charge(user: string, { units, limit, random, latenessMs, tag }: LogCharge): Promise<LogAnswer> {
    const args = [units, limit, random, latenessMs, tag]
    const [isAdmitted, told, remaining, nextInMs] = await this.#run(this.#scripts.charge, `user:${user}`, args)
    if (typeof told !== 'number' || typeof remaining !== 'number' || typeof nextInMs !== 'number') throw unreadable()
    if (isAdmitted === 1) return { isAdmitted: true, atMs: told, remaining, nextInMs }
    return { isAdmitted: false, retryAfterMs: told, remaining, nextInMs }
  }

  async giveBack(user: string, atMs: number, units: number): Promise<void> {
    await this.#run(this.#scripts.giveBack, `user:${user}`, [atMs, units])
  }

  async moveCharge(user: string, atMs: number, units: number): Promise<void> {
    await this.#run(this.#scripts.move, `user:${user}`, [atMs, units])
  }

  async reserve({ name, wanted, limit, force, returned }: ReserveOrder): Promise<Reserved> {
    const args = [wanted, limit, force, this.#instance, ...returned.flat()]
    const answer = await this.#run(this.#scripts.reserve, `budget:${name}`, args)
    const [granted, second, used, instances, ...rest] = answer.map(Number)
    if (granted === undefined || second === undefined || used === undefined || instances === undefined) {
      throw unreadable()
    }
    return { granted, second, used, instances, frees: freeingsFrom(rest) }
  }

  close(): void {}

  async #run(script: Script, name: string, args: readonly Argument[]): Promise<readonly unknown[]> {
    this.#redis.requireUsable()
    const { scripts } = this.#redis
    const keys = [PREFIX + name]
    try {
      return await scripts.run(script, keys, args)
    } catch (error) {
      if (!(error instanceof UnknownScript)) {
        this.#redis.noteFailure(error)
        throw error
      }
    }
    return scripts.runText(script, keys, args)
  }
}

function freeingsFrom(pairs: readonly number[]): Freeing[] {
  const frees: Freeing[] = []
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    frees.push({ inMs: pairs[index] ?? 0, units: pairs[index + 1] ?? 0 })
  }
  return frees
}

function unreadable(): Error {
  return new Error('not an answer of these scripts')
}
