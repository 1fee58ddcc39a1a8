import { Redis } from 'ioredis'
import type { RedisConnection } from './address.ts'

export interface WatchedRedisOptions {
  readonly connection: RedisConnection
  /** A command that the user of this Redis may give, and that tells whether it can be used. */
  readonly look: (redis: Redis) => Promise<unknown>
  /** Told whenever it turns from reachable to not, and back. */
  readonly onChange?: ((isReachable: boolean) => void) | undefined
}

const LOOK_AGAIN_MS = 250

/**
 * A Redis of which it is known at any time whether it can be used. Only the calls under way wait for one that hangs:
 * the first that fails stops the others, until a look succeeds.
 */
export class WatchedRedis {
  readonly #redis: Redis
  readonly #lookAt: () => Promise<unknown>
  readonly #onChange: (isReachable: boolean) => void
  #isReachable = true
  #isLooking = false
  #timer: NodeJS.Timeout | undefined

  constructor({ connection, look, onChange = () => undefined }: WatchedRedisOptions) {
    const redis = new Redis(connection)
    this.#redis = redis
    this.#lookAt = () => look(redis)
    this.#onChange = onChange
    redis.on('ready', () => void this.#look())
    redis.on('close', () => this.#note(false))
    // Each call tells its own failure; an event that nobody hears would end the process.
    redis.on('error', () => undefined)
  }

  /** Resolves when it is clear whether Redis is there; a service that starts without it says 503 until it is. */
  async open(): Promise<void> {
    await this.#redis.connect().catch(() => undefined)
    await this.#look()
  }

  /** Rejects when the work does, and at once while Redis is away. */
  async run<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    if (!this.isReady()) throw new Error('Redis cannot be reached')
    try {
      return await work(this.#redis)
    } catch (error) {
      this.#note(false)
      void this.#look()
      throw error
    }
  }

  isReady(): boolean {
    return this.#isReachable && this.#redis.status === 'ready'
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#redis.removeAllListeners('ready').removeAllListeners('close').disconnect()
  }

  /** An instance that others avoid gets no calls that could find out, so it must look by itself. */
  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    clearTimeout(this.#timer)
    const isReachable = await this.#lookAt().then(
      () => true,
      () => false
    )
    this.#isLooking = false
    this.#note(isReachable)
    if (!isReachable && this.#redis.status !== 'end') {
      this.#timer = setTimeout(() => void this.#look(), LOOK_AGAIN_MS).unref()
    }
  }

  #note(isReachable: boolean): void {
    if (isReachable === this.#isReachable) return
    this.#isReachable = isReachable
    this.#onChange(isReachable)
  }
}
