// The service as it is, in a process of its own that tells how much CPU it has used. With --no-records it keeps none.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createService } from '../src/app.ts'
import { systemClock } from '../src/clock.ts'
import { loadConfig } from '../src/config.ts'
import { openStore } from '../src/delivery/open-store.ts'
import type { RecordStore } from '../src/delivery/record-store.ts'
import { createLogger } from '../src/observability/logger.ts'
import { answerParent } from './child.ts'

const READY_POLL_MS = 20

/** Says yes to everything: what is left is the service without records. */
const NO_RECORDS: RecordStore = {
  claim: async () => ({ kind: 'claimed' }),
  markSent: async () => true,
  doubt: async () => undefined,
  reclaim: async () => true,
  finish: async () => undefined,
  release: async () => undefined,
  forgetfulForMs: () => undefined,
  isReady: () => true,
  close: async () => undefined
}

const config = loadConfig(process.env, path => readFileSync(path, 'utf8'))
const log = createLogger(config.logLevel)
const store = process.argv.includes('--no-records')
  ? NO_RECORDS
  : await openStore({ storeUrl: config.delivery.storeUrl, clock: systemClock, log })
while (!store.isReady()) await sleep(READY_POLL_MS)

const { app } = await createService(config, { log, store })
await app.listen(config.public)
answerParent(app.server.address(), () => {
  // All threads of the process, garbage collection included.
  const { user, system } = process.cpuUsage()
  return user + system
})
