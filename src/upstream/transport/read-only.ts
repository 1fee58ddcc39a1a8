import type { Connections } from './pool.ts'

/** Connections for parts that must not change anything: whatever such a part asks for, only reads are made. */
export function readOnly(connections: Pick<Connections, 'exchange' | 'reset'>): Connections {
  return {
    async exchange(request, limits) {
      if (request.method !== 'GET') throw new Error('only reads are made on these connections')
      return connections.exchange(request, limits)
    },
    reset: () => connections.reset(),
    // They belong to whoever gave them.
    close: async () => undefined
  }
}
