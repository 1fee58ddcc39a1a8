import type { StoreAddress } from '../../lib/service/store-address.ts'
import { createMemorySessionStore } from './memory.ts'
import type { SessionStore } from './session-store.ts'

/**
 * The sessions live where the delivery records live; beside a file, not in it, so that neither blocks the other.
 * Throws a StoreError, for the operator, where they cannot.
 */
export async function openSessionStore(
  address: StoreAddress,
  onChange?: (isReachable: boolean) => void
): Promise<SessionStore> {
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
