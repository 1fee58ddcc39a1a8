// Session stores as the service opens them.
import type { Test } from 'tap'
import { openSessionStore } from '../../../src/login/stores/open.ts'
import type { SessionStore } from '../../../src/login/stores/session-store.ts'
import { openPostgresStore } from '../../delivery/stores/postgres/records.ts'
import { storeAddress } from '../../lib/addresses.ts'

/** In Postgres beside records, on their connections, which end with the sessions. */
export async function openAt(t: Test, storeUrl: string): Promise<SessionStore> {
  const address = storeAddress(storeUrl)
  if (address.kind !== 'postgres') return openSessionStore(address)
  const { store } = await openPostgresStore(t, storeUrl)
  const sessions = await openSessionStore(address, undefined, store.postgres)
  return { ...sessions, close: () => store.close() }
}
