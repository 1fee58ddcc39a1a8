import { createMemorySessionStore } from './memory.ts'
import type { SessionStore } from './session-store.ts'

/**
 * The sessions live where the delivery records live; beside a file, not in it, so that neither blocks the other.
 * Throws a StoreError, for the operator, where they cannot.
 */
export async function openSessionStore(
  storeUrl: string,
  onChange?: (isReachable: boolean) => void
): Promise<SessionStore> {
  if (/^rediss?:/.test(storeUrl)) {
    const { createRedisSessionStore } = await import('./redis.ts')
    return createRedisSessionStore(storeUrl, onChange)
  }
  if (storeUrl.startsWith('file:')) {
    const { createFileSessionStore } = await import('./sqlite.ts')
    return createFileSessionStore(`${storeUrl.slice('file:'.length)}.login`)
  }
  return createMemorySessionStore()
}
