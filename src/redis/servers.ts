import type { Redis } from 'ioredis'
import type { RedisAddress } from '../lib/service/store-address.ts'
import type { RedisClient, RedisClientOptions } from './client.ts'

/** What of several servers is meant, where it is not all of Redis. */
export interface Whereabouts {
  readonly server?: 'sentinels' | 'master at the sentinels'
  /** Of a cluster. */
  readonly shards?: ShardCount
}

/** How many shards cannot be used, of how many. */
export interface ShardCount {
  readonly away: number
  readonly all: number
}

export interface RedisServersOptions extends Pick<RedisClientOptions, 'variable' | 'heartbeatMs' | 'onTrouble'> {
  readonly address: RedisAddress
  readonly commandTimeoutMs: number
  /**
   * What has to succeed on a connection to a server before anything else is asked of it (RedisClientOptions). `keyAt` makes
   * a key that this server holds out of one.
   */
  readonly handshake: (client: RedisClient, isSame: () => boolean, keyAt: (key: string) => string) => Promise<unknown>
  /** What an error means for the operator, where the store must not be used. */
  readonly refusalOf?: NonNullable<RedisClientOptions['refusalOf']>
  /** Told after every look at which server holds what; with the time when it was asked for, on performance.now(). */
  readonly onMap?: (askedAtMs: number) => void
  /** Told whenever all of it turns from reachable to not, and back. */
  readonly onChange?: (isReachable: boolean, reason: string, where: Whereabouts) => void
}

/** The servers behind one address, of which each holds some of the keys. */
export interface RedisServers {
  /** Resolves when it is clear whether they are there; rejects with a StoreError where they must not be used. */
  open(): Promise<void>
  /** Of the server that holds a key; throws while that is not known. */
  clientOf(key: string): RedisClient
  /** Runs a command about one key; once more, at another server, where the first has said that it has not done it. */
  run<T>(key: string, work: (redis: Redis) => Promise<T>): Promise<T>
  /** After a failure, as the client is told. */
  noteFailure(client: RedisClient, error: unknown): void
  /** Looks again which server holds what, after this call; resolves also where that cannot be found out. */
  refresh(): Promise<void>
  /** Undefined where there is but one server at a time. */
  shards(): ShardCount | undefined
  /** Whether some keys are held by no server. */
  hasGaps(): boolean
  /** True when some of them can be used. */
  isReady(): boolean
  close(): void
}
