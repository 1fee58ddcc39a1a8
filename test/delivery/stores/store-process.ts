// A process of its own at a store: it does what it is told, says what is done, and can be killed at any moment.
// Run as: node store-process.ts STORE_URL STEPS KEY…  It takes the steps for each key, and prints each when it is done.
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RecordStore } from '../../../src/delivery/record.ts'
import { openStore } from '../../../src/delivery/stores/open.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { storeAddress } from '../../lib/addresses.ts'
import { DONE, newClaim } from './store-kit.ts'

const [storeUrl = '', steps = '', ...keys] = process.argv.slice(2)
const owner = `process-${process.pid}`

const STEPS: Readonly<Record<string, (store: RecordStore, key: string) => Promise<unknown>>> = {
  acquire: async (store, key) => (await store.acquire(newClaim({ key, owner }))).kind,
  acquireAsSent: async (store, key) => (await store.acquire(newClaim({ key, owner }), 'sent')).kind,
  markSent: (store, key) => store.markSent(key, owner),
  markInDoubt: (store, key) => store.markInDoubt(key, owner),
  takeOver: (store, key) => store.takeOver(key, owner, newClaim({ key, owner: `${owner}-again` })),
  complete: async (store, key) => store.complete(key, owner, DONE),
  release: async (store, key) => store.release(key, owner)
}

/** A rejected transition may or may not have happened, and is asked for again, as a client would. */
async function untilHeard(transition: () => Promise<unknown> | undefined): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transition()
    } catch (error) {
      if (attempt === 100) throw error
      await sleep(50)
    }
  }
}

const store = await openStore({ address: storeAddress(storeUrl), clock: systemClock, emit: () => undefined })
for (const key of keys) {
  for (const step of steps.split(',')) {
    // Where it dies no destructor, no flush and no `close` runs.
    if (step === 'die') process.kill(process.pid, 'SIGKILL')
    const answer = await untilHeard(() => STEPS[step]?.(store, key))
    // Written before the next step begins: what was printed has happened.
    writeSync(1, `${key} ${step} ${String(answer)}\n`)
  }
}
await store.close()
