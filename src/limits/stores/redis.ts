import { randomUUID } from 'node:crypto'
import { type Argument, type Script, type SharedRedis, UnknownScript } from '../../redis/scripts.ts'
import type { Freeing } from '../cells.ts'
import type { QuotaStore, Reserved, ReserveOrder } from '../quota-store.ts'
import type { LogAnswer, LogCharge } from '../sliding-log.ts'
import { ANSWER_VALUES, type QuotaScripts, quotaScripts } from './redis-scripts.ts'

interface Waiting {
  readonly resolve: (answer: LogAnswer) => void
  readonly reject: (error: unknown) => void
}

/** Redis does nothing else meanwhile. */
const MAX_AT_ONCE = 64
/** Beside the records, under the names that the user of this Redis may touch. */
const PREFIX = 'reply:quota:'

/** Quotas of all instances, in the Redis of the records and on its connection: a charge flies with a claim. */
export class RedisQuotas implements QuotaStore {
  readonly isShared = true
  readonly #redis: SharedRedis
  readonly #scripts: QuotaScripts
  readonly #instance = randomUUID()
  readonly #maxAtOnce: number
  /** Charges of this turn: they are one command, in the write that their claims are in. */
  #waiting: Waiting[] = []
  #keys: string[] = []
  #args: string[] = []

  constructor(redis: SharedRedis, timeShim?: string) {
    this.#redis = redis
    // Users are in slots of their own.
    this.#maxAtOnce = redis.isCluster ? 1 : MAX_AT_ONCE
    this.#scripts = quotaScripts(timeShim)
  }

  charge(user: string, { units, limit, random, latenessMs, tag }: LogCharge): Promise<LogAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) queueMicrotask(() => this.#chargeAll())
      this.#waiting.push({ resolve, reject })
      this.#keys.push(`${PREFIX}user:${user}`)
      this.#args.push(`${units} ${limit} ${random} ${latenessMs} ${tag}`)
      if (this.#waiting.length === this.#maxAtOnce) this.#chargeAll()
    })
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

  #chargeAll(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    const asked = this.#ask(this.#scripts.charge, this.#keys, this.#args)
    this.#waiting = []
    this.#keys = []
    this.#args = []
    asked.then(
      answers => {
        for (const [index, one] of waiting.entries()) settle(one, answers, index * ANSWER_VALUES)
      },
      error => {
        for (const one of waiting) one.reject(error)
      }
    )
  }

  #run(script: Script, name: string, args: readonly Argument[]): Promise<readonly unknown[]> {
    return this.#ask(script, [PREFIX + name], args)
  }

  async #ask(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<readonly unknown[]> {
    const [first = ''] = keys
    const { scripts, noteFailure } = this.#redis.at(first)
    try {
      return await scripts.run(script, keys, args)
    } catch (error) {
      if (!(error instanceof UnknownScript)) {
        noteFailure(error)
        throw error
      }
    }
    return scripts.runText(script, keys, args)
  }
}

function settle({ resolve, reject }: Waiting, answers: readonly unknown[], first: number): void {
  const [isAdmitted, told, remaining, nextInMs] = answers.slice(first, first + ANSWER_VALUES)
  if (typeof told !== 'number' || typeof remaining !== 'number' || typeof nextInMs !== 'number') reject(unreadable())
  else if (isAdmitted === 1) resolve({ isAdmitted: true, atMs: told, remaining, nextInMs })
  else resolve({ isAdmitted: false, retryAfterMs: told, remaining, nextInMs })
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
