import type { Redis } from 'ioredis'
import { redisConnection } from './address.ts'
import { RedisClient } from './client.ts'
import { MovingServers } from './moving-servers.ts'
import type { RedisServers, RedisServersOptions } from './servers.ts'

/** Connects to nothing before it is opened. */
export function redisServers(options: RedisServersOptions): RedisServers {
  return options.address.topology === 'single' ? new OneServer(options) : new MovingServers(options)
}

/** A server that is always at the same address. */
class OneServer implements RedisServers {
  readonly #client: RedisClient

  constructor({ address, commandTimeoutMs, handshake, onChange, ...options }: RedisServersOptions) {
    this.#client = new RedisClient({
      ...options,
      connection: redisConnection(address, commandTimeoutMs),
      handshake: (_redis, isSame) => handshake(this.#client, isSame, key => key),
      onChange: (isReachable, reason) => onChange?.(isReachable, reason, {})
    })
  }

  open(): Promise<void> {
    return this.#client.open()
  }

  clientOf(): RedisClient {
    return this.#client
  }

  run<T>(_key: string, work: (redis: Redis) => Promise<T>): Promise<T> {
    return this.#client.run(work)
  }

  noteFailure(client: RedisClient, error: unknown): void {
    client.noteFailure(error)
  }

  async refresh(): Promise<void> {}

  shards(): undefined {
    return undefined
  }

  hasGaps(): boolean {
    return false
  }

  isReady(): boolean {
    return this.#client.isReady()
  }

  close(): void {
    this.#client.close()
  }
}
