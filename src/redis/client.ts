import type { Redis } from 'ioredis'
import { Looks } from '../lib/service/servers/looks.ts'
import { Reachability, type ReachabilityOptions } from '../lib/service/servers/reachability.ts'
import { StoreError } from '../lib/service/store-error.ts'
import { type RedisConnection, type RedisVariable, selectDatabase } from './address.ts'
import { isAnswer, reasonOf } from './answers.ts'
import { PatientRedis } from './patient-redis.ts'

export interface RedisClientOptions extends Pick<ReachabilityOptions, 'onChange' | 'onTrouble'> {
  readonly connection: RedisConnection
  /** Where its address comes from. */
  readonly variable: RedisVariable
  /**
   * What has to succeed on a connection before anything else is asked of it; with a command that the user of this Redis
   * may give. Rejects when this Redis cannot be used; with a StoreError when it must not be.
   */
  readonly handshake: (redis: Redis, isSameConnection: () => boolean) => Promise<unknown>
  /** Told when it may have become usable, or not. */
  readonly onState?: () => void
  /** How often the handshake is repeated while all is well, in milliseconds; never unless given. */
  readonly heartbeatMs?: number
  /** What an error of this Redis means for the operator, where it must not be used. */
  readonly refusalOf?: ((error: Error) => StoreError | undefined) | undefined
}

const RETRY_MS = 250
/** Connecting and a handshake take less; after that a service starts without its Redis. */
const OPENING_MS = 1600

/**
 * A connection to Redis that is known at any time to be usable or not. Only the calls under way wait for a Redis that
 * hangs: the first one that gets no answer stops the others, until a handshake succeeds.
 */
export class RedisClient {
  readonly redis: Redis
  /** For another connection to the same server. */
  readonly connection: RedisConnection
  readonly #options: RedisClientOptions
  readonly #reachability: Reachability
  readonly #handshakes = new Looks(() => this.#tryHandshake())
  readonly #ends: (() => void)[] = []
  #isClosed = false
  #isUsable = false
  /** Redis answers, but with an error. */
  #isInTrouble = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: RedisClientOptions) {
    this.#options = options
    this.#reachability = new Reachability({ ...options, openingMs: OPENING_MS })
    this.connection = options.connection
    this.redis = new PatientRedis(options.connection)
    this.redis.on('ready', () => this.#handshakeIn(0))
    this.redis.on('close', () => this.#lose())
    // Each call tells its own failure; an event without a listener would end the process.
    this.redis.on('error', error => this.#noteReason(error))
  }

  /**
   * Resolves when it is clear whether Redis is there; a service that starts without it says 503 until it is. Rejects with
   * a StoreError where it must not be used.
   */
  async open(): Promise<void> {
    try {
      await this.#reachability.open(() => void this.redis.connect().catch(() => undefined))
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Rejects when the work does, and at once while Redis is away. */
  async run<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    this.requireUsable()
    try {
      return await work(this.redis)
    } catch (error) {
      this.noteFailure(error)
      throw error
    }
  }

  /** For a caller that asks by itself, and then tells of every failure. */
  requireUsable(): void {
    if (!this.#isUsable) throw new Error('Redis cannot be reached')
  }

  noteFailure(error: unknown): void {
    const isFirst = !this.#isInTrouble
    this.#isInTrouble = true
    // An error that Redis answers may be about one key: the others are asked as before.
    if (!isAnswer(error)) {
      this.#noteReason(error)
      this.#isUsable = false
      this.#reachability.tell(false)
      this.#options.onState?.()
    }
    if (isFirst) this.#handshakeIn(0)
  }

  /** A handshake that begins after this call, for all that wait for it; rejects when Redis cannot be used after it. */
  async handshake(): Promise<void> {
    await this.#handshakes.next()
    this.requireUsable()
  }

  /** For what ends with this client. The connection itself says nothing of its end while it is away. */
  atEnd(end: () => void): void {
    if (this.#isClosed) end()
    else this.#ends.push(end)
  }

  handshakeSoon(): void {
    this.#handshakeIn(0)
  }

  get isUsable(): boolean {
    return this.#isUsable
  }

  /** A word that says why it is not usable. */
  get reason(): string {
    return this.#reachability.reason
  }

  isReady(): boolean {
    return this.#isUsable && !this.#isInTrouble && this.redis.status === 'ready'
  }

  close(): void {
    this.#isClosed = true
    for (const end of this.#ends.splice(0)) end()
    this.#isUsable = false
    this.#reachability.close()
    clearTimeout(this.#timer)
    this.redis.disconnect()
  }

  /** After a failover the same address may lead to another server, but only a new connection gets there. */
  #handshakeIn(ms: number, onNewConnection = false): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    const next = (): void => (onNewConnection ? this.redis.disconnect(true) : void this.#handshakes.next())
    this.#timer = setTimeout(next, ms).unref()
  }

  async #tryHandshake(): Promise<void> {
    const { handshake, heartbeatMs, connection, variable } = this.#options
    const { stream } = this.redis
    const isSame = (): boolean => stream === this.redis.stream
    try {
      await selectDatabase(this.redis, connection.db ?? 0, variable)
      await handshake(this.redis, isSame)
      // An instance that others avoid gets no calls that could find out, so it must look by itself.
      if (!isSame()) return this.redis.status === 'ready' ? this.#handshakeIn(0) : undefined
      this.#isUsable = !this.#isClosed
      this.#isInTrouble = false
      this.#reachability.tell(true)
      if (heartbeatMs !== undefined) this.#handshakeIn(heartbeatMs)
    } catch (error) {
      this.#isUsable = false
      this.#noteReason(error)
      if (error instanceof StoreError) this.#reachability.refuse(error)
      else if (!this.#reachability.isOpening) this.#reachability.tell(false)
      if (this.redis.status === 'ready') this.#handshakeIn(RETRY_MS, isReplica(error))
    }
    this.#options.onState?.()
  }

  #lose(): void {
    this.#isUsable = false
    clearTimeout(this.#timer)
    this.#reachability.tell(false)
    this.#options.onState?.()
  }

  #noteReason(error: unknown): void {
    if (!(error instanceof Error)) return
    this.#reachability.reason = reasonOf(error)
    const refusal = this.#options.refusalOf?.(error)
    if (refusal) this.#reachability.refuse(refusal)
  }
}

/** A primary that was demoted. */
function isReplica(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('READONLY')
}
