import { Redis } from 'ioredis'
import type { RedisAddress } from '../../../lib/store-address.ts'
import { StoreError, type StoreLog } from '../../../lib/store-error.ts'
import { redisConnection } from '../../../redis/address.ts'
import { type Argument, RedisCommands } from '../../../redis/scripts.ts'
import { readServerFacts, type ServerFacts } from '../../../redis/server-info.ts'
import { SCRIPTS } from './scripts.ts'
import { KnownServer } from './server-run.ts'

export interface RedisLinkOptions {
  readonly address: RedisAddress
  readonly monotonic: () => number
  readonly log: StoreLog
  /** For how long the loss of a record matters, in milliseconds. */
  readonly lossMattersMs: number
  readonly commandTimeoutMs: number
}

export type Transition = Exclude<keyof typeof SCRIPTS, 'greet'>

const PREFIX = 'reply:'
/** What the scripts remember of the server; no record is called so, because their names are longer. */
const MEMORY = `${PREFIX}meta`
const BEAT_MS = 2000
const BEAT_IN_TROUBLE_MS = 250
/** So many command timeouts are more than connecting and greeting take; then the service starts without its records. */
const OPENING_TIMEOUTS = 4
const CREDENTIALS = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid|ERR AUTH)/
const REPLY_CODES = /^(LOADING|READONLY|OOM|MISCONF|NOPERM|NOAUTH|WRONGPASS)\b/

/**
 * A connection to Redis that greets whom it meets before anything else is said: may records be kept there, does it
 * take them, and is it still the one that was there before?
 */
export class RedisLink {
  readonly server: KnownServer
  readonly #options: RedisLinkOptions
  readonly #client: Redis
  readonly #commands: RedisCommands
  readonly #opening = Promise.withResolvers<void>()
  #isOpening = true
  #isClosed = false
  /** True once this very connection may be used. */
  #isGreeted = false
  #isInTrouble = false
  #timer: NodeJS.Timeout | undefined
  #told = 'nothing'
  #reason = 'no answer'

  constructor(options: RedisLinkOptions) {
    this.#options = options
    this.server = new KnownServer(options.monotonic, options.lossMattersMs)
    this.#client = new Redis(redisConnection(options.address, options.commandTimeoutMs))
    this.#commands = new RedisCommands(this.#client)
    this.#client.on('ready', () => this.#beatIn(0))
    this.#client.on('close', () => this.#lose())
    this.#client.on('error', error => this.#noteReason(error))
  }

  /** Resolves when it is clear whether Redis is there; throws a StoreError where records must not be kept. */
  async open(): Promise<void> {
    const patience = setTimeout(() => this.#tellLost(), OPENING_TIMEOUTS * this.#options.commandTimeoutMs)
    this.#client.connect().catch(() => undefined)
    try {
      await this.#opening.promise
    } catch (error) {
      this.close()
      throw error
    } finally {
      this.#isOpening = false
      clearTimeout(patience)
    }
  }

  /** Moves a record on; rejects when that may or may not have happened, and at once while Redis is not there. */
  async run(transition: Transition, key: string, ...args: readonly Argument[]): Promise<readonly unknown[]> {
    if (!this.#isGreeted) throw new Error('Redis cannot be reached')
    try {
      return await this.#commands.run(SCRIPTS[transition], PREFIX + key, args)
    } catch (error) {
      if (!this.#isInTrouble) this.#beatIn(0)
      this.#isInTrouble = true
      throw error
    }
  }

  isReady(): boolean {
    return this.#isGreeted && !this.#isInTrouble && this.#client.status === 'ready'
  }

  close(): void {
    this.#isClosed = true
    this.#isGreeted = false
    clearTimeout(this.#timer)
    this.#client.disconnect()
  }

  /** After a failover the same address may lead to another server, but only a new connection gets there. */
  #beatIn(ms: number, anew = false): void {
    clearTimeout(this.#timer)
    const next = (): void => void (anew ? this.#client.disconnect(true) : this.#beat())
    if (!this.#isClosed) this.#timer = setTimeout(next, ms).unref()
  }

  /** Greets, again and again: a proxy may lead to another server without the loss of a connection. */
  async #beat(): Promise<void> {
    const { stream } = this.#client
    try {
      const facts = await this.#facts()
      const isSame = await this.#greet(facts, () => stream === this.#client.stream)
      if (isSame) this.#beatIn(BEAT_MS)
    } catch (error) {
      this.#noteReason(error)
      this.#isGreeted = false
      if (error instanceof StoreError) this.#refuse(error)
      if (this.#client.status === 'ready') this.#beatIn(BEAT_IN_TROUBLE_MS, isReplica(error))
    }
  }

  async #greet(facts: ServerFacts | undefined, isSame: () => boolean): Promise<boolean> {
    const { lossMattersMs, log } = this.#options
    if (facts?.refusal !== undefined) throw new StoreError(facts.refusal)
    if (facts?.obstacle !== undefined) throw new Error(facts.obstacle)
    if (!isSame()) return false
    const runId = facts?.runId ?? ''
    const greeting = [runId, this.server.met, lossMattersMs]
    const [nowMs, since] = await this.#commands.run(SCRIPTS.greet, MEMORY, greeting)
    if (typeof nowMs !== 'number' || typeof since !== 'number') throw new Error('not an answer to a greeting')
    if (!isSame()) return false
    this.server.greeted(runId, nowMs, since)
    this.#isGreeted = true
    this.#isInTrouble = false
    if (this.#told === 'nothing') warnOf(facts, log)
    else if (this.#told !== 'up') log.info('the Redis of STORE_URL can be used again')
    this.#told = 'up'
    this.#opening.resolve()
    return true
  }

  /** Undefined where the user in STORE_URL may not ask. */
  async #facts(): Promise<ServerFacts | undefined> {
    try {
      return readServerFacts(await this.#client.info())
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('NOPERM')) return undefined
      throw error
    }
  }

  #lose(): void {
    this.#isGreeted = false
    clearTimeout(this.#timer)
    if (!this.#isClosed) this.#tellLost()
  }

  #tellLost(): void {
    if (this.#told === 'up' || this.#told === 'nothing') {
      this.#options.log.warn(`the Redis of STORE_URL cannot be reached (${this.#reason}); trying again`)
      this.#told = 'down'
    }
    this.#opening.resolve()
  }

  #refuse(error: StoreError): void {
    this.#opening.reject(error)
    if (this.#isOpening || this.#told === error.message) return
    this.#options.log.error(error.message)
    this.#told = error.message
  }

  /** Keeps a word that says what is wrong; the message itself may repeat what was sent, credentials too. */
  #noteReason(error: unknown): void {
    if (!(error instanceof Error)) return
    const code = 'code' in error ? String(error.code) : (REPLY_CODES.exec(error.message)?.[0] ?? 'no answer')
    this.#reason = /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? code : 'no answer'
    if (!CREDENTIALS.test(error.message)) return
    this.#refuse(
      new StoreError(
        'STORE_URL names a Redis that refuses its user or password, or what the user has to do: EVAL and EVALSHA on reply:*.'
      )
    )
  }
}

function warnOf(facts: ServerFacts | undefined, log: StoreLog): void {
  if (!facts) {
    log.warn('the user of STORE_URL may not run INFO: that Redis evicts or has lost records would go unnoticed')
  } else if (!facts.isPersistent) {
    log.warn(
      'the Redis of STORE_URL keeps no append-only file: when it restarts, replies are looked for in their threads'
    )
  }
}

function isReplica(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('READONLY')
}
