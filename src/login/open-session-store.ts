import { createFileSessionStore } from './file-session-store.ts'
import { createMemorySessionStore } from './memory-session-store.ts'
import { createRedisSessionStore } from './redis-session-store.ts'
import type { SessionStore } from './session-store.ts'

/** The sessions live where the delivery records live; beside a file, not in it, so that neither blocks the other. */
export async function openSessionStore(storeUrl: string): Promise<SessionStore> {
  if (/^rediss?:/.test(storeUrl)) return createRedisSessionStore(storeUrl)
  if (storeUrl.startsWith('file:')) return createFileSessionStore(`${storeUrl.slice('file:'.length)}.login`)
  return createMemorySessionStore()
}
