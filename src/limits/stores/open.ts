import type { SharedPostgres } from '../../postgres/shared.ts'
import type { SharedRedis } from '../../redis/scripts.ts'
import type { SharedDatabase } from '../../sqlite/shared.ts'
import type { QuotaStore } from '../quota-store.ts'
import { MemoryQuotas } from './memory.ts'
import { PostgresQuotas } from './postgres.ts'
import { RedisQuotas } from './redis.ts'
import { FileQuotas } from './sqlite.ts'

/** Where records are kept, and quotas with them. */
export interface QuotaHome {
  readonly redis?: SharedRedis | undefined
  readonly sqlite?: SharedDatabase | undefined
  readonly postgres?: SharedPostgres | undefined
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic: () => number
  /** Processes that share the port, and with it a file. */
  readonly workers: number
}

/** Beside the records, so that processes that share these share their quotas; else in memory. */
export function openQuotas({ redis, sqlite, postgres, now, monotonic, workers }: QuotaHome): QuotaStore {
  if (redis) return new RedisQuotas(redis)
  if (postgres) return new PostgresQuotas(postgres)
  if (sqlite) return new FileQuotas({ ...sqlite, now, instances: workers })
  return new MemoryQuotas(monotonic)
}
