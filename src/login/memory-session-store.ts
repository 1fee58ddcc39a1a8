import type { SessionRecord, SessionStore } from './session-store.ts'

const MAX_RECORDS = 100_000

/** Sessions that end with the process: for one instance and for trying things out. */
export function createMemorySessionStore(maxRecords = MAX_RECORDS): SessionStore {
  const sessions = new Map<string, SessionRecord>()
  const claims = new Map<string, number>()

  return {
    async put(name, record, nowMs) {
      if (sessions.size >= maxRecords) sweep(sessions, ({ endsAtMs }) => endsAtMs <= nowMs)
      // Somebody who is pushed out signs in again; refusing everybody new would be worse.
      if (sessions.size >= maxRecords) dropOldest(sessions)
      sessions.set(name, record)
    },
    get: async name => sessions.get(name),
    async touch(name, record) {
      if (sessions.has(name)) sessions.set(name, record)
    },
    async delete(name) {
      sessions.delete(name)
    },
    deleteOwnedBy: async owner => sweep(sessions, ({ owners }) => owners.includes(owner)),
    async claimOnce(name, untilMs, nowMs) {
      if ((claims.get(name) ?? 0) > nowMs) return false
      if (claims.size >= maxRecords) sweep(claims, endsAtMs => endsAtMs <= nowMs)
      if (claims.size >= maxRecords) throw new Error('the store is full')
      claims.set(name, untilMs)
      return true
    },
    async disclaim(name) {
      claims.delete(name)
    },
    async close() {
      sessions.clear()
      claims.clear()
    }
  }
}

function sweep<T>(map: Map<string, T>, isOver: (value: T) => boolean): number {
  const names = Array.from(map)
    .filter(([, value]) => isOver(value))
    .map(([name]) => name)
  for (const name of names) map.delete(name)
  return names.length
}

function dropOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
