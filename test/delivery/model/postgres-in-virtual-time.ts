// Postgres dates records by its own clock, which no test can move. So its statements are told the time of the world.
import type { Awaitable, RecordStore } from '../../../src/delivery/record.ts'
import { createPostgresStore } from '../../../src/delivery/stores/postgres/store.ts'
import type { PostgresServer } from '../../helpers/postgres-server.ts'
import { postgresAddress } from '../../lib/addresses.ts'
import { movableClock } from '../stores/postgres/movable-clock.ts'
import { wrapStore } from '../wrap-store.ts'
import type { SharedStore, World } from './world.ts'

/** Its time is that of the world, jumps of the clock included. */
export async function connectToPostgres(postgres: PostgresServer, world: World): Promise<SharedStore> {
  const ends: (() => unknown)[] = []
  const time = await movableClock({ teardown: end => void ends.push(end) }, postgres)
  const opened: RecordStore[] = []
  const beginningMs = world.nowMs
  let passedMs = 0
  let aheadMs = world.wallOffsetMs

  async function showTime(): Promise<void> {
    const [moreMs, jumpMs] = [world.nowMs - beginningMs - passedMs, world.wallOffsetMs - aheadMs]
    passedMs += moreMs
    aheadMs += jumpMs
    if (moreMs > 0) await time.pass(moreMs)
    if (jumpMs !== 0) await time.jump(jumpMs)
  }

  // A beat of every instance; what no running instance sees is a limit that docs/delivery.md names.
  world.onJump.push(async () => {
    await showTime()
    await Promise.all(opened.map(store => store.release('nothing', 'nobody')))
  })

  return {
    forgetsByClock: true,
    async connect({ bootedAtMs }) {
      await showTime()
      const store = await createPostgresStore({
        address: postgresAddress(postgres.url, time.schema),
        monotonic: () => beginningMs + time.monotonic() - bootedAtMs,
        emit: () => undefined,
        clock: time.clock,
        commandTimeoutMs: 8000
      })
      opened.push(store)
      const inTime =
        <A extends unknown[], T>(transition: (...args: A) => Awaitable<T>) =>
        async (...args: A): Promise<T> => {
          await showTime()
          return transition(...args)
        }
      return wrapStore<RecordStore>(store, {
        acquire: inTime((claim, as) => store.acquire(claim, as)),
        markSent: inTime((key, owner) => store.markSent(key, owner)),
        markInDoubt: inTime((key, owner) => store.markInDoubt(key, owner)),
        takeOver: inTime((key, previous, claim) => store.takeOver(key, previous, claim)),
        complete: inTime((key, owner, outcome) => store.complete(key, owner, outcome)),
        release: inTime((key, owner, search) => store.release(key, owner, search)),
        noteSearch: inTime((key, former, search) => store.noteSearch(key, former, search))
      })
    },
    async close() {
      for (const store of opened) await store.close()
      for (const end of ends) await end()
    }
  }
}
