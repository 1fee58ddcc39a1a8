// Every store of quotas answers what the arithmetic of sliding-log.ts and cells.ts says, on clocks in our hands.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { Budget } from '../../src/limits/budget.ts'
import { type Cell, reserve, returnUnits } from '../../src/limits/cells.ts'
import type { QuotaStore } from '../../src/limits/quota-store.ts'
import { charge, emptyLog, giveBack, type LogCharge, moveCharge } from '../../src/limits/sliding-log.ts'
import { MemoryQuotas } from '../../src/limits/stores/memory.ts'
import { PostgresQuotas } from '../../src/limits/stores/postgres.ts'
import { RedisQuotas } from '../../src/limits/stores/redis.ts'
import { FileQuotas } from '../../src/limits/stores/sqlite.ts'
import { ScriptRunner } from '../../src/redis/scripts.ts'
import { GroupCommit } from '../../src/sqlite/group-commit.ts'
import { openPostgresStore } from '../delivery/stores/postgres/records.ts'
import { newDatabase } from '../helpers/postgres-database.ts'
import { withoutPostgres } from '../helpers/postgres-server.ts'
import { redisFor, withoutRedis } from '../helpers/redis-server.ts'
import { seedOf } from '../helpers/seed.ts'

const START_MS = 1_795_824_000_000
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const LIMIT = 30

interface Kit {
  /** Moves the clock that the store reads. */
  at(ms: number): unknown
  /** Another instance on the same store. */
  instance(): QuotaStore
}

async function memoryKit(): Promise<Kit> {
  let nowMs = START_MS
  const store = new MemoryQuotas(() => nowMs)
  const at = (ms: number): void => {
    nowMs = ms
  }
  return { at, instance: () => store }
}

async function fileKit(t: Test): Promise<Kit> {
  let nowMs = START_MS
  const at = (ms: number): void => {
    nowMs = ms
  }
  const path = join(t.testdir(), 'records.db')
  const instance = (): QuotaStore => {
    const database = new DatabaseSync(path, { timeout: 500 })
    // How durable it is is proved with the records.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF')
    const commits = new GroupCommit({ database, onFailure: () => undefined })
    const store = new FileQuotas({ database, commits, now: () => nowMs, instances: 2 })
    t.teardown(() => {
      store.close()
      database.close()
    })
    return store
  }
  return { at, instance }
}

async function redisKit(t: Test): Promise<Kit> {
  const server = await redisFor(t, { appendonly: 'no' })
  const client = new Redis(server.url)
  t.teardown(() => client.disconnect())
  const instance = (): QuotaStore => {
    const scripts = new ScriptRunner(client)
    const shared = { isCluster: false, at: () => ({ scripts, noteFailure: () => undefined }) }
    return new RedisQuotas(shared, `now = tonumber(redis.call('GET', 'clock')) or now\n`)
  }
  return { at: ms => client.set('clock', String(ms)), instance }
}

async function postgresKit(t: Test): Promise<Kit> {
  const { query, url } = await newDatabase()
  const { store } = await openPostgresStore(t, url)
  await query('CREATE TABLE clock AS SELECT clock_timestamp() AS at')
  const instance = (): QuotaStore => {
    const quotas = new PostgresQuotas(store.postgres, '(SELECT at FROM public.clock)')
    t.teardown(() => quotas.close())
    return quotas
  }
  return {
    at: ms => store.postgres.ask('UPDATE public.clock SET at = to_timestamp($1::float8 / 1000)', [ms]),
    instance
  }
}

type Step = typeof STEPS extends fc.Arbitrary<(infer One)[]> ? One : never
const kits: readonly (readonly [string, (t: Test) => Promise<Kit>])[] = [
  ['memory', memoryKit],
  ['file', fileKit],
  ...(withoutRedis() === undefined ? [['redis', redisKit] as const] : []),
  ...(withoutPostgres() === undefined ? [['postgres', postgresKit] as const] : [])
]

const STEP = fc.record({
  gapMs: fc.oneof(fc.nat(40), fc.nat(3000), fc.nat(70_000)),
  units: fc.oneof(fc.constant(1), fc.constant(1), fc.integer({ min: 2, max: 5 })),
  random: fc.constantFrom(0, 0.25, 0.5, 0.999),
  latenessMs: fc.constantFrom(0, 20, 900),
  tag: fc.nat(5),
  next: fc.constantFrom('keep', 'keep', 'keep', 'give-back', 'move')
})
const STEPS = fc.array(STEP, { minLength: 20, maxLength: 120 })
/** A jump of the wall clock somewhere in the middle; memory's clock never jumps. */
const JUMP = fc.constantFrom(0, -DAY_MS, DAY_MS, -MINUTE_MS)
const sameJson = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

/** One user of a store, and the same user in arithmetic. */
function userOf(kit: Kit, store: QuotaStore, user: string) {
  const model = emptyLog()
  return {
    /** What was charged and when; undefined where nothing was, `differs` where the two do not agree. */
    async charge(nowMs: number, order: LogCharge): Promise<number | undefined | 'differs'> {
      await kit.at(nowMs)
      const answer = await store.charge(user, order)
      if (!sameJson(answer, charge(model, nowMs, order))) return 'differs'
      return answer.isAdmitted ? answer.atMs : undefined
    },
    /** What becomes of a charge. */
    async after({ next, units }: Step, nowMs: number, atMs: number): Promise<void> {
      if (next === 'give-back') {
        giveBack(model, atMs, units)
        await store.giveBack(user, atMs, units)
      } else if (next === 'move') {
        await kit.at(nowMs + 1500)
        moveCharge(model, atMs, nowMs + 1500, units)
        await store.moveCharge(user, atMs, units)
      }
    }
  }
}

for (const [kind, makeKit] of kits) {
  t.test(`${kind}: a log answers as in arithmetic, whatever the clock does`, async t => {
    const kit = await makeKit(t)
    const store = kit.instance()
    let run = 0
    const isSame = async (steps: readonly Step[], jump: number, limit: number): Promise<boolean> => {
      const user = userOf(kit, store, `user-${run++}`)
      let nowMs = START_MS + run * 10 * DAY_MS
      for (const [index, step] of steps.entries()) {
        const { units, random, latenessMs, tag } = step
        nowMs += step.gapMs + (index === 40 && kind !== 'memory' ? jump : 0)
        const atMs = await user.charge(nowMs, { units, random, latenessMs, tag, limit })
        if (atMs === 'differs') return false
        if (atMs !== undefined) await user.after(step, nowMs, atMs)
        nowMs += 1500
      }
      return true
    }
    await fc.assert(fc.asyncProperty(STEPS, JUMP, fc.integer({ min: 5, max: 30 }), isSame), {
      seed: seedOf(t),
      numRuns: kind === 'postgres' ? 6 : 30
    })
  })

  t.test(`${kind}: a budget is reserved as in arithmetic`, async t => {
    const kit = await makeKit(t)
    const store = kit.instance()
    const cells: Cell[] = []
    const jumps =
      kind === 'memory'
        ? new Map()
        : new Map([
            [200, -DAY_MS],
            [300, DAY_MS]
          ])
    let nowMs = START_MS
    let last = 0
    for (let step = 0; step < 400; step++) {
      nowMs += ((step * 137) % 2500) + (jumps.get(step) ?? 0)
      await kit.at(nowMs)
      const order = { wanted: step % 9, limit: 100, force: step % 31 === 0 ? 3 : 0 }
      const returned: Cell[] = step % 7 === 0 ? [[last, 2]] : []
      returnUnits(cells, returned)
      const expected = reserve(cells, nowMs, order)
      const { instances, ...answer } = await store.reserve({ name: 'app', returned, ...order })
      if (!sameJson(answer, expected)) t.same(answer, expected, `step ${step}`)
      last = expected.second
    }
    t.ok(last > 0)
  })

  for (const count of kind === 'memory' ? [1] : kind === 'postgres' ? [4] : [1, 2, 4]) {
    t.test(`${kind}: ${count} instances at 20 times the load admit 29 to 30 in any 60 s`, async t => {
      const kit = await makeKit(t)
      const instances = Array.from({ length: count }, () => kit.instance())
      const admitted: number[] = []
      for (let nowMs = START_MS; nowMs < START_MS + 3 * MINUTE_MS; nowMs += 100) {
        await kit.at(nowMs)
        const store = instances[(nowMs / 100) % count] ?? instances[0]
        const answer = await store?.charge('loud', { units: 1, limit: LIMIT, random: 0.5, latenessMs: 20, tag: nowMs })
        if (answer?.isAdmitted) admitted.push(nowMs)
      }
      const [least, most] = extremes(admitted)
      t.ok(least >= 29 && most <= LIMIT, `${least} to ${most}`)
    })
  }
}

/** The fewest and the most in any minute that lies within the first three. */
function extremes(admitted: readonly number[]): readonly [number, number] {
  const counts: number[] = []
  for (let fromMs = START_MS; fromMs <= START_MS + 2 * MINUTE_MS; fromMs += 50) {
    counts.push(admitted.filter(at => at >= fromMs && at <= fromMs + MINUTE_MS).length)
  }
  return [Math.min(...counts), Math.max(...counts)]
}

t.test('instances share the budget of the app', async t => {
  for (const [kind, makeKit] of kits.slice(1)) {
    const kit = await makeKit(t)
    await kit.at(START_MS)
    const budgets = [1, 2, 3, 4].map(
      () => new Budget({ name: 'app', limit: 500, source: kit.instance(), monotonic: () => START_MS, random: () => 0 })
    )
    let admitted = 0
    for (let round = 0; round < 60; round++) {
      const answers = await Promise.all(budgets.flatMap(budget => [budget.take(1), budget.take(1), budget.take(1)]))
      admitted += answers.filter(({ isAdmitted }) => isAdmitted).length
    }
    t.ok(admitted <= 500 && admitted >= 475, `${kind}: ${admitted} of 720`)
  }
})

for (const [kind, makeKit, missing] of [
  ['Redis', redisKit, withoutRedis()],
  ['Postgres', postgresKit, withoutPostgres()]
] as const) {
  t.test(`an instance knows how many share the ${kind}`, missing === undefined ? {} : { skip: missing }, async t =>
    countsInstances(t, await makeKit(t))
  )
}

async function countsInstances(t: Test, kit: Kit): Promise<void> {
  await kit.at(START_MS)
  const order = { name: 'app', wanted: 0, limit: 100, force: 0, returned: [] }
  const stores = [1, 2, 3].map(() => kit.instance())
  const seen = []
  for (const store of stores) seen.push((await store.reserve(order)).instances)
  t.same(seen, [1, 2, 3])
  await kit.at(START_MS + 2 * MINUTE_MS)
  t.equal((await kit.instance().reserve(order)).instances, 1, 'those that have gone are forgotten')
}

t.test('what others wrote in the place of a quota is forgotten', async t => {
  if (withoutRedis() === undefined) {
    const server = await redisFor(t, { appendonly: 'no' })
    const client = new Redis(server.url)
    t.teardown(() => client.disconnect())
    const scripts = new ScriptRunner(client)
    const shared = { isCluster: false, at: () => ({ scripts, noteFailure: () => undefined }) }
    const store = new RedisQuotas(shared)
    const order = { units: 1, limit: LIMIT, random: 0, latenessMs: 0, tag: 0 }
    await client.set('reply:quota:user:ann', 'canary')
    t.match(await store.charge('ann', order), { isAdmitted: true, remaining: 29 })
    await client.hset('reply:quota:user:ann', 'q', 'canary')
    t.match(await store.charge('ann', order), { isAdmitted: true, remaining: 29 })
    t.ok(Number(await client.pttl('reply:quota:user:ann')) > 0, 'and goes by itself')
    await server.command('SCRIPT', 'FLUSH')
    t.match(await store.charge('ann', order), { isAdmitted: true, remaining: 28 })
  }
  if (withoutPostgres() === undefined) {
    const { query, url } = await newDatabase()
    const { store: records } = await openPostgresStore(t, url)
    const quotas = new PostgresQuotas(records.postgres)
    t.teardown(() => quotas.close())
    const order = { units: 1, limit: LIMIT, random: 0, latenessMs: 0, tag: 0 }
    for (const state of ['', '{}', '[["x"],[null]]', '[1,2]', '[[1e999],[]]']) {
      await query(
        `INSERT INTO thread_reply_bff.quotas_1 VALUES ('user:ann', $1, 1, 0, 1) ON CONFLICT (name) DO UPDATE SET state = $1`,
        [state]
      )
      t.match(await quotas.charge('ann', order), { isAdmitted: true, remaining: 29 }, state)
    }
  }
  const database = new DatabaseSync(':memory:')
  const commits = new GroupCommit({ database, onFailure: () => undefined })
  const store = new FileQuotas({ database, commits, now: () => START_MS, instances: 1 })
  t.teardown(() => store.close())
  for (const state of ['', '{}', '[["x"],[null]]', '[1,2]', '[[1e999],[]]']) {
    database.prepare("INSERT OR REPLACE INTO quotas (name, state, expires_at_ms) VALUES ('user:ann', ?, 0)").run(state)
    const answer = await store.charge('ann', { units: 1, limit: LIMIT, random: 0, latenessMs: 0, tag: 0 })
    t.match(answer, { isAdmitted: true, remaining: 29 }, state)
  }
})
