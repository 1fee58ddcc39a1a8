import type { SessionRecord, SessionStore } from './session-store.ts'

const MAX_RECORDS = 100_000

/**
 * Sessions that end with the process: for one instance and for trying things out. The oldest come first in each map,
 * and they end first, so that nothing ever has to be looked through.
 */
export function createMemorySessionStore(maxRecords = MAX_RECORDS): SessionStore {
  const sessions = new Map<string, SessionRecord>()
  const claims = new Map<string, number>()
  const namesByOwner = new Map<string, Set<string>>()

  function remove(name: string): boolean {
    for (const owner of sessions.get(name)?.owners ?? []) {
      const names = namesByOwner.get(owner)
      names?.delete(name)
      if (names?.size === 0) namesByOwner.delete(owner)
    }
    return sessions.delete(name)
  }

  return {
    async put(name, record, nowMs) {
      remove(name)
      // Somebody who is pushed out signs in again; refusing everybody new would be worse.
      makeRoom(sessions, maxRecords, ({ endsAtMs }) => endsAtMs <= nowMs, remove)
      sessions.set(name, record)
      for (const owner of record.owners) {
        const names = namesByOwner.get(owner) ?? new Set()
        namesByOwner.set(owner, names.add(name))
      }
    },
    get: async name => sessions.get(name),
    async touch(name, record) {
      if (sessions.has(name)) sessions.set(name, record)
    },
    async delete(name) {
      remove(name)
    },
    deleteOwnedBy: async owner => Array.from(namesByOwner.get(owner) ?? []).filter(remove).length,
    async claimOnce(name, untilMs, nowMs) {
      if ((claims.get(name) ?? 0) > nowMs) return false
      claims.delete(name)
      // Anybody can make claims: were the store ever full, nobody could sign in.
      makeRoom(
        claims,
        maxRecords,
        endsAtMs => endsAtMs <= nowMs,
        oldest => claims.delete(oldest)
      )
      claims.set(name, untilMs)
      return true
    },
    async disclaim(name) {
      claims.delete(name)
    },
    isReady: () => true,
    async close() {
      sessions.clear()
      claims.clear()
      namesByOwner.clear()
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
