import t from 'tap'
import type { RequestWatch } from '../../emulator/server.ts'
import { until } from '../helpers/until.ts'
import { call, startEmulator, toBob } from './start-emulator.ts'

/** What is told, as one line a time. */
async function startWatched(t: Parameters<typeof startEmulator>[0]) {
  const told: string[] = []
  const watch: RequestWatch = {
    received: ({ method, path }) => void told.push(`received ${method} ${path}`),
    answered: ({ body }, { status, body: answer }) =>
      void told.push(`answered ${body.length > 0} ${status} ${String(answer).includes('Hi Tom!')}`),
    ended: ({ status, fault }) => void told.push(`ended ${status} ${fault}`)
  }
  return { told, emulator: await startEmulator(t, { watch }) }
}

t.test('a request is told as it arrives, as it is answered, and when it is over', async t => {
  const { told, emulator } = await startWatched(t)

  await call(emulator, '/messages/100/thread', { as: 'alice', body: toBob })

  await until(() => told.length === 3)
  t.strictSame(told, ['received POST /v3/messages/100/thread', 'answered true 200 true', 'ended 200 undefined'])
})

t.test('one that ends without an answer has no status, and the name of its fault', async t => {
  const { told, emulator } = await startWatched(t)
  emulator.failNext({ kind: 'reset', commit: true })

  await t.rejects(call(emulator, '/messages/100/thread', { as: 'alice', body: toBob }))

  await until(() => told.length === 2)
  t.strictSame(told, ['received POST /v3/messages/100/thread', 'ended undefined reset'])
})
