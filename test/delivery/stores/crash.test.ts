// Processes that are killed with SIGKILL, and processes that share a store: what one was told to keep, the others find.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { AcquireResult, RecordStore } from '../../../src/delivery/record.ts'
import { needsPostgres, postgresFor } from '../../helpers/postgres-server.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { movableClock } from './postgres/movable-clock.ts'
import { openPostgresStore } from './postgres/records.ts'
import { MOVABLE_CLOCK, moveClock, openRedisStore } from './redis/records.ts'
import { createRecordFile } from './sqlite/record-file.ts'
import { DONE, LEASE_MS, newClaim } from './store-kit.ts'

t.setTimeout(240_000)

interface Place {
  readonly storeUrl: string
  open(): Promise<RecordStore>
  /** Lets the leases of whoever has died run out. */
  outliveLeases(): Promise<void>
}

const PROGRAM = new URL('store-process.ts', import.meta.url).pathname

const CRASH_POINTS: readonly (readonly [
  steps: string,
  now: AcquireResult['kind'],
  afterLease: AcquireResult['kind']
])[] = [
  ['acquire', 'in-flight', 'acquired'],
  ['acquire,markSent', 'in-flight', 'in-doubt'],
  ['acquireAsSent', 'in-flight', 'in-doubt'],
  ['acquireAsSent,complete', 'done', 'done'],
  ['acquireAsSent,release', 'acquired', 'acquired'],
  ['acquire,markSent,markInDoubt', 'in-doubt', 'in-doubt'],
  ['acquire,markSent,markInDoubt,takeOver', 'in-flight', 'acquired'],
  ['acquire,markSent,complete', 'done', 'done'],
  ['acquire,complete', 'done', 'done'],
  ['acquire,release', 'acquired', 'acquired'],
  ['acquire,markSent,release', 'acquired', 'acquired']
]

for (const [name, options, makePlace] of [
  ['file', {}, fileFor],
  ['redis', needsRedis(), redisPlaceFor],
  ['postgres', needsPostgres(), postgresPlaceFor]
] as const) {
  t.test(`${name}: after kill -9 behind any transition the record is where it was`, { ...options }, async t => {
    const place = await makePlace(t)
    const crashes = CRASH_POINTS.map(([steps]) => ({ key: randomUUID(), steps }))

    await Promise.all(crashes.map(({ key, steps }) => dieAfter(t, place, key, steps)))

    const store = await place.open()
    const kinds = (owner: string) =>
      Promise.all(crashes.map(async ({ key }) => (await store.acquire(newClaim({ key, owner }))).kind))
    t.same(
      await kinds('B'),
      CRASH_POINTS.map(([, now]) => now),
      'at once'
    )
    await place.outliveLeases()
    const later = await kinds('C')
    for (const [i, [steps, now, afterLease]] of CRASH_POINTS.entries()) {
      if (now !== 'acquired') t.equal(later[i], afterLease, `${steps}, and its lease is over`)
    }
  })

  t.test(`${name}: of four processes that want the same keys, one gets each`, { ...options }, async t => {
    const place = await makePlace(t)
    const keys = Array.from({ length: 60 }, () => randomUUID())

    const outputs = await Promise.all(
      Array.from({ length: 4 }, () => runToEnd(startProcess(t, place, 'acquire,markSent,complete', keys)))
    )

    const lines = outputs.flat()
    t.equal(lines.length, 4 * 3 * keys.length, 'all of them came to their end')
    for (const key of keys) {
      const told = lines.filter(line => line.startsWith(key))
      t.equal(told.filter(line => line === `${key} acquire acquired`).length, 1, 'acquired once')
      t.equal(told.filter(line => line === `${key} markSent true`).length, 1, 'sent once')
    }
  })
}

t.test('file: whatever a process was told before kill -9 is there, whenever it dies', async t => {
  const place = await fileFor(t)
  const store = await place.open()
  let told = 0

  for (let round = 0; round < 8; round++) {
    const keys = Array.from({ length: 3000 }, () => randomUUID())
    const child = startProcess(t, place, 'acquire,markSent,complete', keys)
    const lines = linesOf(child)
    await once(child.stdout ?? child, 'data')
    await sleep(10 + round * 13)
    child.kill('SIGKILL')
    const seen = await lines
    told += seen.length
    for (const line of seen) {
      const [key = '', step] = line.split(' ')
      if (step === 'complete') t.same(await store.acquire(newClaim({ key, owner: 'B' })), DONE)
    }
    const [lastKey = '', lastStep] = seen.at(-1)?.split(' ') ?? []
    const isOpen = lastStep === 'acquire' || lastStep === 'markSent'
    if (isOpen) t.match(await store.acquire(newClaim({ key: lastKey, owner: 'B' })), { kind: /in-flight|done/ })
  }
  t.ok(told > 20, `${told} transitions were told`)
})

t.test('file: processes that start together on a file that does not exist yet all get it', async t => {
  const place = await fileFor(t)

  const outputs = await Promise.all(
    Array.from({ length: 8 }, () => runToEnd(startProcess(t, place, 'acquire', [randomUUID()])))
  )

  t.same(
    outputs.map(([line]) => line?.split(' ')[2]),
    Array.from({ length: 8 }, () => 'acquired')
  )
})

async function fileFor(t: Test): Promise<Place> {
  const { path, open } = createRecordFile(t)
  // The processes have the real time; this one may look from later.
  let laterMs = 0
  return {
    storeUrl: `file:${path}`,
    open: async () =>
      open({ clock: { now: () => Date.now() + laterMs, monotonic: () => performance.now() + laterMs } }),
    outliveLeases: async () => {
      laterMs += LEASE_MS
    }
  }
}

async function redisPlaceFor(t: Test): Promise<Place> {
  const redis = await redisFor(t)
  let laterMs = 0
  return {
    storeUrl: redis.url,
    // As above.
    open: async () =>
      (await openRedisStore(t, redis.url, { ...MOVABLE_CLOCK, monotonic: () => performance.now() + laterMs })).store,
    outliveLeases: async () => {
      laterMs += LEASE_MS
      await moveClock(redis, LEASE_MS)
    }
  }
}

async function postgresPlaceFor(t: Test): Promise<Place> {
  const postgres = await postgresFor(t)
  const { clock, monotonic, pass } = await movableClock(t, postgres, 'runs')
  return {
    storeUrl: postgres.url,
    open: async () => (await openPostgresStore(t, postgres.url, { clock, monotonic })).store,
    outliveLeases: () => pass(LEASE_MS)
  }
}

async function dieAfter(t: Test, place: Place, key: string, steps: string): Promise<void> {
  const child = startProcess(t, place, `${steps},die`, [key])
  const lines = await linesOf(child)
  t.equal(child.signalCode, 'SIGKILL')
  t.equal(lines.length, steps.split(',').length, lines.join('; '))
}

function startProcess(t: Test, { storeUrl }: Place, steps: string, keys: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, storeUrl, steps, ...keys], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

async function runToEnd(child: ChildProcess): Promise<string[]> {
  const lines = await linesOf(child)
  if (child.exitCode !== 0) throw new Error(`the process ended with ${child.exitCode ?? child.signalCode}`)
  return lines
}

/** Every line, once the process has ended. */
async function linesOf(child: ChildProcess): Promise<string[]> {
  const lines: string[] = []
  if (child.stdout) createInterface({ input: child.stdout }).on('line', line => lines.push(line))
  await once(child, 'close')
  return lines
}
