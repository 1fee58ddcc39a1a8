import type { Redis } from 'ioredis'
import type { RedisAddress } from '../../../lib/service/store-address.ts'
import { StoreError } from '../../../lib/service/store-error.ts'
import type { Emit } from '../../../observability/events.ts'
import { redisConnection } from '../../../redis/address.ts'
import { RedisClient } from '../../../redis/client.ts'
import { type Argument, ScriptRunner, UnknownScript } from '../../../redis/scripts.ts'
import { readServerFacts, type ServerFacts } from '../../../redis/server-info.ts'
import type { SharedRedis } from '../../../redis/shared.ts'
import { type Scripts, scriptsOf, type Transition } from './scripts.ts'
import { type Shard, Shards } from './shards.ts'

export interface RedisSessionOptions {
  readonly address: RedisAddress
  readonly monotonic: () => number
  readonly emit: Emit
  /** For how long the loss of a record matters, in milliseconds. */
  readonly lossMattersMs: number
  readonly commandTimeoutMs: number
  /** For tests, which cannot move the clock of a Redis: Lua that changes `now`, in milliseconds. */
  readonly timeShim?: string | undefined
}

const HEARTBEAT_MS = 2000
/** A node of a cluster that shows no INFO, or of which INFO says nothing. */
const OF_A_CLUSTER = /^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b/
const CREDENTIALS = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid|ERR AUTH)/
/** They rest on what an acquisition saw, which may be lost by now. */
const RESTS_ON_ACQUISITION: ReadonlySet<Transition> = new Set(['markSent', 'takeOver'])

/**
 * The records' connection to Redis. It greets the server before anything else is said: may records be kept there, does it
 * take them, and is it still the one that was there before?
 */
export class RedisSession {
  readonly shards: Shards
  readonly #options: RedisSessionOptions
  readonly #client: RedisClient
  readonly #scripts: ScriptRunner
  /** As they were told to the server that was greeted. */
  #told: Scripts
  #toldRunId: string | undefined
  #hasWarned = false

  constructor(options: RedisSessionOptions) {
    const { address, commandTimeoutMs, emit, timeShim } = options
    this.#options = options
    this.shards = new Shards(options.monotonic, options.lossMattersMs)
    this.#told = scriptsOf('', timeShim)
    this.#client = new RedisClient({
      variable: 'STORE_URL',
      connection: redisConnection(address, commandTimeoutMs),
      // Again and again: a proxy may lead to another server without the loss of a connection.
      heartbeatMs: HEARTBEAT_MS,
      handshake: (redis, isSame) => this.#greet(redis, isSame),
      refusalOf,
      onChange: (isReachable, reason) => emit({ name: 'reachability', part: 'store', isReachable, reason }),
      onTrouble: problem => emit({ name: 'store-unusable', problem })
    })
    this.#scripts = new ScriptRunner(this.#client.redis)
  }

  /** For what is kept beside the records. */
  get shared(): SharedRedis {
    const client = this.#client
    return {
      scripts: this.#scripts,
      requireUsable: () => client.requireUsable(),
      noteFailure: error => client.noteFailure(error)
    }
  }

  /** Resolves when it is clear whether Redis is there; throws a StoreError where records must not be kept. */
  open(): Promise<void> {
    return this.#client.open()
  }

  /** Moves a record on; rejects when that may or may not have happened, and at once while Redis is not there. */
  async run(transition: Transition, key: string, ...args: readonly Argument[]): Promise<readonly unknown[]> {
    this.#client.requireUsable()
    const shard = this.shards.of(key)
    const { epoch } = shard.server
    const answer = await this.#ask(shard, transition, key, args)
    if (answer) return answer
    // What was greeted is no longer there: emptied, or another server at the same connection. Nothing has happened.
    await this.#client.handshake()
    const isLost = RESTS_ON_ACQUISITION.has(transition) && epoch !== shard.server.epoch
    const again = isLost ? undefined : await this.#ask(shard, transition, key, args)
    if (again) return again
    throw new Error('Redis may have lost the record')
  }

  isReady(): boolean {
    return this.#client.isReady()
  }

  close(): void {
    this.#client.close()
  }

  /** Undefined when the server has to be greeted again, and has done nothing. */
  async #ask(
    { prefix, memory, server }: Shard,
    transition: Transition,
    key: string,
    args: readonly Argument[]
  ): Promise<readonly unknown[] | undefined> {
    const askedAtMs = this.#options.monotonic()
    try {
      const script = this.#told[transition]
      const answer = await this.#scripts.run(script, [prefix + key, memory], [server.epoch, ...args])
      if (answer[0] === 'greet-again') return undefined
      if (typeof answer[1] === 'number') server.observe(answer[1], askedAtMs)
      // The other instances learn of a jump from what the greeting writes.
      if (server.hasNews) this.#client.handshakeSoon()
      return answer
    } catch (error) {
      if (!(error instanceof UnknownScript)) {
        this.#client.noteFailure(error)
        throw error
      }
      this.#toldRunId = undefined
      return undefined
    }
  }

  async #greet(redis: Redis, isSame: () => boolean): Promise<void> {
    const facts = await factsOf(redis)
    if (facts?.refusal !== undefined) throw new StoreError(facts.refusal)
    if (facts?.obstacle !== undefined) throw new Error(facts.obstacle)
    const runId = facts?.runId ?? ''
    if (!isSame()) return
    const scripts = this.#toldRunId === runId ? this.#told : scriptsOf(runId, this.#options.timeShim)
    const greetings = this.shards.all.map(shard => this.#introduce(shard, runId, scripts, isSame))
    await Promise.all([...greetings, this.#tell(redis, runId, scripts)])
    if (!this.#hasWarned && isSame()) this.#warnOf(facts)
  }

  async #introduce(shard: Shard, runId: string, scripts: Scripts, isSame: () => boolean): Promise<void> {
    await this.#greetShard(shard, runId, scripts)
    // Told of a jump that this answer has shown, the server begins another epoch.
    while (shard.server.hasNews && isSame()) await this.#greetShard(shard, runId, scripts)
  }

  async #greetShard({ server, memory }: Shard, runId: string, { greet }: Scripts): Promise<void> {
    const askedAtMs = this.#options.monotonic()
    const { metRun, mattersForMs: keptMs, metEpoch, newEpoch, jumpMs } = server.introduction()
    const args = [runId, metRun, keptMs, metEpoch, newEpoch, jumpMs]
    const answer = await this.#scripts.runText(greet, [memory], args)
    const [nowMs, lostAtMs, mattersForMs, epoch] = answer
    const areDates = typeof nowMs === 'number' && typeof lostAtMs === 'number' && typeof mattersForMs === 'number'
    if (!areDates || typeof epoch !== 'string') throw new Error('not an answer to a greeting')
    server.greeted(runId, { nowMs, lostAtMs, mattersForMs, epoch }, askedAtMs)
  }

  /** Makes the scripts known to this run of the server, and to it alone. */
  async #tell(redis: Redis, runId: string, scripts: Scripts): Promise<void> {
    if (this.#toldRunId === runId && runId !== '') return
    const telling = Object.values(scripts).map(one => this.#scripts.runText(one, [], []))
    // Asked again, so that all of this was said to one server: a proxy may lead elsewhere between two words.
    const [facts] = await Promise.all([factsOf(redis), ...telling])
    if ((facts?.runId ?? '') !== runId) throw new Error('another server')
    this.#told = scripts
    this.#toldRunId = runId
  }

  #warnOf(facts: ServerFacts | undefined): void {
    this.#hasWarned = true
    const limit = !facts ? 'info-forbidden' : facts.isPersistent ? undefined : 'no-append-only-file'
    if (limit) this.#options.emit({ name: 'store-limit', limit })
  }
}

/** Forbidden, renamed, or not known to a server or a proxy that is not quite Redis. */
const NO_INFO = /^(NOPERM|ERR (unknown|unsupported|command|this|invalid command))/i

/** Undefined where that cannot be known. */
async function factsOf(redis: Redis): Promise<ServerFacts | undefined> {
  try {
    return readServerFacts(await redis.info())
  } catch (error) {
    if (error instanceof Error && NO_INFO.test(error.message)) return undefined
    throw error
  }
}

function refusalOf(error: Error): StoreError | undefined {
  if (OF_A_CLUSTER.test(error.message)) {
    return new StoreError(
      'STORE_URL names a node of a Redis Cluster: name a single primary, or the address that leads to it.'
    )
  }
  if (!CREDENTIALS.test(error.message)) return undefined
  return new StoreError(
    'STORE_URL names a Redis that refuses its user or password, or what the user has to do: EVAL, EVALSHA, EXISTS, TIME, ' +
      'TYPE, HMGET, HSET, HDEL, DEL and PEXPIRE on reply:*, and SELECT for another database than 0.'
  )
}
