// Changes that happen between two reads of a thread: a thread that shrinks or moves while it is paged through.
import type { Change, ChangeMatch } from './types.ts'

interface Pending {
  readonly change: Change | (() => void)
  readonly parentId: string | undefined
  readsLeft: number
}

export type ReadScript = ReturnType<typeof createReadScript>

export function createReadScript(carryOut: (change: Change) => void) {
  let pending: Pending[] = []
  return {
    add: (change: Change | (() => void), { parentId, read = 1 }: ChangeMatch = {}) =>
      void pending.push({ change, parentId, readsLeft: read }),
    /** A list of this thread was just answered. */
    afterRead(parentId: string): void {
      const met = pending.filter(one => one.parentId === undefined || one.parentId === parentId)
      for (const one of met) one.readsLeft -= 1
      const due = met.filter(({ readsLeft }) => readsLeft <= 0)
      pending = pending.filter(one => !due.includes(one))
      for (const { change } of due) {
        if (typeof change === 'function') change()
        else carryOut(change)
      }
    },
    forget: () => {
      pending = []
    },
    get size(): number {
      return pending.length
    }
  }
}
