// Quotas in Postgres take turns in three tables: their space is bounded while a snapshot is held, and nothing of them is lost.
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { PostgresQuotas } from '../../src/limits/stores/postgres.ts'
import { GENERATION_MS, QuotaGenerations } from '../../src/limits/stores/quota-generations.ts'
import { openPostgresStore } from '../delivery/stores/postgres/records.ts'
import { newDatabase } from '../helpers/postgres-database.ts'
import { withoutPostgres } from '../helpers/postgres-server.ts'

const missing = withoutPostgres()
const needs = missing === undefined ? {} : { skip: missing }
const START_MS = 1_795_824_000_000
const CLOCK = '(SELECT at FROM public.clock)'
const NOW = `floor(extract(epoch FROM ${CLOCK}) * 1000)::float8`
const LIMIT = 30
/** Of a table without rows, with its index. */
const EMPTY_BYTES = 65_536

const order = (tag: number) => ({ units: 1, limit: LIMIT, random: 0, latenessMs: 0, tag })

async function open(t: Test) {
  const { query, url } = await newDatabase()
  const { store } = await openPostgresStore(t, url)
  await query('CREATE TABLE clock AS SELECT clock_timestamp() AS at')
  const at = (ms: number) => query('UPDATE clock SET at = to_timestamp($1::float8 / 1000)', [ms])
  await at(START_MS)
  const quotas = (): PostgresQuotas => {
    const made = new PostgresQuotas(store.postgres, CLOCK)
    t.teardown(() => made.close())
    return made
  }
  const sizes = async (): Promise<number[]> => {
    const rows = await query(
      `SELECT pg_total_relation_size('thread_reply_bff.quotas_' || n)::int AS bytes FROM generate_series(0, 2) n ORDER BY n`
    )
    return rows.map(({ bytes }) => Number(bytes))
  }
  const generation = async () =>
    (await query('SELECT generation::int FROM thread_reply_bff.quota_generation'))[0]?.['generation']
  const transaction = async (): Promise<Client> => {
    const client = new Client({ connectionString: url })
    await client.connect()
    t.teardown(() => client.end())
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await client.query('SELECT 1')
    return client
  }
  return { query, at, quotas, sizes, generation, transaction, postgres: store.postgres }
}

t.test('while a snapshot is held they take no more in the fifth generation than in the second', needs, async t => {
  const { at, quotas, sizes, transaction, generation } = await open(t)
  const store = quotas()
  await store.charge('ann', order(0))
  await transaction()
  const totals: number[] = []
  let nowMs = START_MS
  for (let round = 1; round <= 5; round++) {
    for (let charge = 0; charge < 40; charge++) {
      const users = ['ann', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi']
      await Promise.all(users.map(user => store.charge(user, order(charge))))
    }
    totals.push((await sizes()).reduce((sum, bytes) => sum + bytes))
    nowMs += GENERATION_MS
    await at(nowMs)
    await store.upkeep()
    await store.upkeep()
  }
  t.equal(await generation(), 6)
  const [, second = 0] = totals
  t.ok(second > 250_000, `there were versions to keep: ${totals.join()}`)
  t.ok(Math.max(...totals.slice(2)) <= 1.6 * second, totals.join())
  const emptied = (await sizes()).filter(bytes => bytes <= EMPTY_BYTES)
  t.ok(emptied.length >= 1, 'and the oldest has given its space back')
})

t.test('what was charged in one generation counts in the next, and a place in a long line in all', needs, async t => {
  const { at, quotas } = await open(t)
  const [store, other] = [quotas(), quotas()]
  const lateMs = START_MS + GENERATION_MS - 5000
  await store.charge('ann', order(0))
  await at(lateMs)
  for (let charge = 0; charge < LIMIT; charge++) {
    t.match(await store.charge('ann', order(charge)), { isAdmitted: true }, `${charge}`)
  }
  // The line is as long as three minutes.
  let promised = 0
  for (let tag = 0; tag < 3 * LIMIT; tag++) promised = await waitOf(store, 1000 + tag)
  t.ok(promised > 2 * GENERATION_MS, `${promised} ms`)
  let nowMs = START_MS
  for (let round = 1; round <= 3; round++) {
    nowMs += GENERATION_MS
    await at(nowMs)
    await Promise.all([store.upkeep(), other.upkeep()])
    await Promise.all([store.upkeep(), other.upkeep()])
    if (round === 1) t.match(await other.charge('ann', order(1)), { isAdmitted: false, remaining: 0 })
  }
  // Two generations later, in which nothing was charged, a new message waits behind those that were told to come back.
  t.match(await other.charge('ann', order(9999)), { isAdmitted: false })
})

async function waitOf(store: PostgresQuotas, tag: number): Promise<number> {
  const answer = await store.charge('ann', order(tag))
  return answer.isAdmitted ? 0 : answer.retryAfterMs
}

t.test('what was computed in one generation is not written in another', needs, async t => {
  const { at, postgres, quotas } = await open(t)
  const [one, other] = [new QuotaGenerations(postgres, NOW), new QuotaGenerations(postgres, NOW)]
  const kept = { name: 'user:ann', state: 'mine', version: 1, untilMs: START_MS + 1000 }
  const { generation } = await one.read(['user:ann'])
  await at(START_MS + GENERATION_MS)
  await other.upkeep()
  t.same([...(await one.write([kept], generation))], [])
  const again = await one.read(['user:ann'])
  t.equal(again.generation, generation + 1)
  t.same([...(await one.write([kept], again.generation))], ['user:ann'])
  t.same([...(await other.write([kept], again.generation))], [], 'and by one alone')
  t.same((await other.read(['user:ann'])).quotas, new Map([['user:ann', { state: 'mine', version: 1 }]]))
  t.match(await quotas().charge('ann', order(1)), { isAdmitted: true, remaining: 29 })
})

t.test('a generation waits for a write that is under way', needs, async t => {
  const { at, quotas, generation, transaction } = await open(t)
  const store = quotas()
  await store.charge('ann', order(0))
  await at(START_MS + GENERATION_MS)
  const writing = await transaction()
  await writing.query(`INSERT INTO thread_reply_bff.quotas_1 VALUES ('user:bob', '', 1, 0, 1)`)
  await store.upkeep()
  t.equal(await generation(), 1)
  await writing.query('COMMIT')
  await store.upkeep()
  t.equal(await generation(), 2)
})

t.test('behind a dump that holds the tables nothing waits, and quotas are kept as ever', needs, async t => {
  const { at, quotas, transaction, sizes } = await open(t)
  const store = quotas()
  await store.charge('ann', order(0))
  const dump = await transaction()
  await dump.query(
    'LOCK TABLE thread_reply_bff.quotas_0, thread_reply_bff.quotas_1, thread_reply_bff.quotas_2 IN ACCESS SHARE MODE'
  )
  for (let round = 1; round <= 5; round++) {
    await at(START_MS + round * GENERATION_MS)
    await store.upkeep()
    await store.upkeep()
    t.match(await store.charge('ann', order(2 * round)), { isAdmitted: true, remaining: 29 })
    t.match(await store.charge('ann', order(2 * round + 1)), { isAdmitted: true, remaining: 28 })
  }
  await dump.query('COMMIT')
  await store.upkeep()
  t.ok(
    (await sizes()).some(bytes => bytes <= EMPTY_BYTES),
    'then its space is given back'
  )
})

t.test('a clock that is set back, and a crash, end no generation for long', needs, async t => {
  const { at, query, quotas, generation } = await open(t)
  const store = quotas()
  await store.charge('ann', order(0))
  await at(START_MS - 3_600_000)
  await store.upkeep()
  t.equal(await generation(), 2)
  t.match(await store.charge('ann', order(1)), { isAdmitted: true, remaining: 28 })
  // As a crash does with tables that are not logged.
  await query(
    'TRUNCATE thread_reply_bff.quotas_0, thread_reply_bff.quotas_1, thread_reply_bff.quotas_2, thread_reply_bff.quota_generation'
  )
  t.match(await store.charge('ann', order(2)), { isAdmitted: true, remaining: 29 })
  await query('TRUNCATE thread_reply_bff.quota_generation')
  await store.upkeep()
  t.equal(await generation(), 1)
})
