// The end of a service whose callers do not stop coming.
import { EventEmitter } from 'node:events'
import t from 'tap'
import { closeService } from '../../src/process/shutdown.ts'

const GRACE_MS = 60_000

t.test('callers who come for ever end no drain late: its time begins before they are taken', async t => {
  const steps: string[] = []
  let isListening = true
  const server = Object.assign(new EventEmitter(), {
    close() {
      isListening = false
      steps.push('the listener closes')
    },
    closeIdleConnections: () => undefined,
    closeAllConnections: () => undefined
  })
  const come = (): void => {
    server.emit('connection')
    if (isListening) setImmediate(come)
  }
  const drain = {
    close() {
      steps.push('the time of the drain begins')
      come()
      return GRACE_MS
    }
  }
  const app = { server, close: async () => void steps.push('the rest is closed') }

  await closeService({ app, drain } as unknown as Parameters<typeof closeService>[0])

  t.same(steps, ['the time of the drain begins', 'the listener closes', 'the rest is closed'])
  t.equal(server.listenerCount('connection'), 0)
})
