// Postgres dates records by its own clock, which no test can move. So its statements are told the time of the world.
import type { RecordStore } from '../../../src/delivery/record.ts'
import { createPostgresStore } from '../../../src/delivery/stores/postgres/store.ts'
import type { Ends, PostgresServer } from '../../helpers/postgres-server.ts'
import { until } from '../../helpers/until.ts'
import { postgresAddress } from '../../lib/addresses.ts'
import { type MovableClock, movableClock } from '../stores/postgres/movable-clock.ts'
import { inTime } from './in-time.ts'
import type { SharedStore, World } from './world.ts'

/** Opens a store for one world after the other; each in its time, jumps of the clock included. */
export async function postgresInVirtualTime(
  t: Ends,
  postgres: PostgresServer
): Promise<(world: World) => Promise<SharedStore>> {
  const time = await movableClock(t, postgres)
  return async world => {
    await time.reset()
    return connect(postgres, time, world)
  }
}

function connect({ url, query }: PostgresServer, time: MovableClock, world: World): SharedStore {
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
        address: postgresAddress(url, time.schema),
        monotonic: () => beginningMs + time.monotonic() - bootedAtMs,
        emit: () => undefined,
        clock: time.clock,
        commandTimeoutMs: 8000,
        // One step at a time.
        connections: 1
      })
      opened.push(store)
      return inTime(store, showTime)
    },
    async close() {
      for (const store of opened) await store.close()
      // The next world has a time of its own: nothing of this one, the memory of losses neither, may stay.
      await until(async () => {
        const [row] = await query(`
          SELECT count(*)::int AS left FROM pg_stat_activity WHERE application_name = 'thread-reply-bff'`)
        return row?.['left'] === 0
      })
      await query(`DELETE FROM ${time.schema}.records; DELETE FROM ${time.schema}.store`)
    }
  }
}
