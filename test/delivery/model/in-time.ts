import type { Awaitable, RecordStore } from '../../../src/delivery/record.ts'
import { wrapStore } from '../wrap-store.ts'

/** Every transition begins when the store was shown the time of its world. */
export function inTime(store: RecordStore, showTime: () => Promise<void>): RecordStore {
  const timed =
    <A extends unknown[], T>(transition: (...args: A) => Awaitable<T>) =>
    async (...args: A): Promise<T> => {
      await showTime()
      return transition(...args)
    }
  return wrapStore<RecordStore>(store, {
    acquire: timed((claim, as) => store.acquire(claim, as)),
    markSent: timed((key, owner) => store.markSent(key, owner)),
    markInDoubt: timed((key, owner) => store.markInDoubt(key, owner)),
    takeOver: timed((key, previous, claim) => store.takeOver(key, previous, claim)),
    complete: timed((key, owner, outcome) => store.complete(key, owner, outcome)),
    release: timed((key, owner, search) => store.release(key, owner, search)),
    noteSearch: timed((key, former, search) => store.noteSearch(key, former, search))
  })
}
