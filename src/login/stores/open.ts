import type { StoreAddress } from '../../lib/service/store-address.ts'
import type { SharedPostgres } from '../../postgres/shared.ts'
import { createMemorySessionStore } from './memory.ts'
import type { SessionStore } from './session-store.ts'

/**
 * The sessions live where the delivery records live, in Postgres on their connections; beside a file, not in it, so that
 * neither blocks the other.
 * Throws a StoreError, for the operator, where they cannot.
 */
export async function openSessionStore(
  address: StoreAddress,
  onChange?: (isReachable: boolean) => void,
  postgres?: SharedPostgres
): Promise<SessionStore> {
  if (address.kind === 'postgres') {
    if (!postgres) throw new Error('sessions in Postgres are beside its records')
    const { createPostgresSessionStore } = await import('./postgres.ts')
    return createPostgresSessionStore(postgres)
  }
  if (address.kind === 'redis') {
    const { createRedisSessionStore } = await import('./redis.ts')
    return createRedisSessionStore(address, onChange)
  }
  if (address.kind === 'file') {
    const { createFileSessionStore } = await import('./sqlite.ts')
    return createFileSessionStore(`${address.path}.login`)
  }
  return createMemorySessionStore()
}
