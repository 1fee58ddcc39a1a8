import type { SessionRecord, SessionStore } from './session-store.ts'

const MAX_RECORDS = 100_000

/**
 * Sessions that end with the process: for one instance and for trying things out. Each map is in the order in which its
 * entries were made, and the oldest entry ends first: making room never searches the map.
 */
export function createMemorySessionStore(maxRecords = MAX_RECORDS): SessionStore {
  const sessions = new Map<string, SessionRecord>()
  const consumed = new Map<string, number>()
  const namesByIndexKey = new Map<string, Set<string>>()

  function remove(name: string): boolean {
    for (const indexKey of sessions.get(name)?.indexKeys ?? []) {
      const names = namesByIndexKey.get(indexKey)
      names?.delete(name)
      if (names?.size === 0) namesByIndexKey.delete(indexKey)
    }
    return sessions.delete(name)
  }

  return {
    async put(name, record, nowMs) {
      remove(name)
      // A user whose session is pushed out signs in again; refusing every new user would be worse.
      makeRoom(sessions, maxRecords, ({ endsAtMs }) => endsAtMs <= nowMs, remove)
      sessions.set(name, record)
      for (const indexKey of record.indexKeys) {
        const names = namesByIndexKey.get(indexKey) ?? new Set()
        namesByIndexKey.set(indexKey, names.add(name))
      }
    },
    get: async name => sessions.get(name),
    async touch(name, record) {
      if (sessions.has(name)) sessions.set(name, record)
    },
    async delete(name) {
      remove(name)
    },
    deleteIndexed: async indexKey => Array.from(namesByIndexKey.get(indexKey) ?? []).filter(remove),
    async consumeOnce(name, untilMs, nowMs) {
      if ((consumed.get(name) ?? 0) > nowMs) return false
      consumed.delete(name)
      // Any client can begin to sign in: if a full store refused new marks, no user could sign in.
      makeRoom(
        consumed,
        maxRecords,
        endsAtMs => endsAtMs <= nowMs,
        oldest => consumed.delete(oldest)
      )
      consumed.set(name, untilMs)
      return true
    },
    async forgetConsumed(name) {
      consumed.delete(name)
    },
    isReady: () => true,
    async close() {
      sessions.clear()
      consumed.clear()
      namesByIndexKey.clear()
    }
  }
}

/** Removes what is over, from the oldest on, and the oldest all the same while there is no room for one more. */
function makeRoom<T>(
  map: ReadonlyMap<string, T>,
  maxSize: number,
  isOver: (value: T) => boolean,
  remove: (name: string) => void
): void {
  for (const [name, value] of map) {
    if (map.size < maxSize && !isOver(value)) return
    remove(name)
  }
}
