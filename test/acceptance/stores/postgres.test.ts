// Two instances whose records are in one Postgres with a standby, the first of them by way of PgBouncer: what becomes of
// replies when each of these fails, in this order, for the same two instances.
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { isReplayed, withText } from '../../helpers/keyed-replies.ts'
import { needsPgBouncer, type PgBouncer, startPgBouncer } from '../../helpers/pgbouncer.ts'
import { type PostgresServer, startPostgres } from '../../helpers/postgres-server.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { type RunningService, readiness } from '../../helpers/service-process.ts'
import { postReply, type ReplyAnswer, startEmulator } from '../../helpers/thread.ts'
import { until } from '../../helpers/until.ts'

t.setTimeout(240_000)

const STORE_SECRET = 'a-store-secret-for-tests-of-40-bytes-xxx'
/** The deadline is long for a busy machine, and the lease 5 s longer. */
const TIMES = { REPLY_DEADLINE_MS: '5000', QUIET_PERIOD_MS: '1000' }
/** How soon a service is back once its Postgres is; a machine that is busy with other things adds to it. */
const BACK_WITHIN_MS = (loadavg()[0] ?? 0) > 2 * availableParallelism() ? 10_000 : 2000
const PATIENCE_MS = 60_000

t.test('two instances on one Postgres, and what becomes of it', needsPgBouncer(), async t => {
  const world = await startWorld(t)

  for (const [title, check] of TRIALS) await t.test(title, async t => check(t, world))
})

interface World {
  readonly primary: PostgresServer
  readonly standby: PostgresServer
  readonly pgbouncer: PgBouncer
  /** By PgBouncer, and without it. */
  readonly services: readonly [RunningService, RunningService]
  readonly emulator: Awaited<ReturnType<typeof startEmulator>>['emulator']
  send(service: RunningService, text: string): Promise<ReplyAnswer>
  /** Until there is an answer that a client keeps. */
  insist(service: RunningService, text: string): Promise<ReplyAnswer>
  posts(text: string): number
}

type Trial = readonly [title: string, check: (t: Test, world: World) => Promise<void>]

async function startWorld(t: Test): Promise<World> {
  const primary = await startPostgres({ wal_keep_size: '256MB' })
  t.teardown(() => primary.stop())
  const standby = await primary.follow(t)
  const pgbouncer = await startPgBouncer(primary)
  t.teardown(() => pgbouncer.stop())
  const { emulator, env, parentId } = await startEmulator(t)
  const start = (first: number): Promise<RunningService> => {
    const storeUrl = `postgres://postgres@127.0.0.1:${first},127.0.0.1:${standby.port}/postgres`
    return hostService(t, { ...env, ...TIMES, STORE_SECRET, STORE_URL: storeUrl })
  }
  const services = [await start(Number(new URL(pgbouncer.url).port)), await start(primary.port)] as const
  const send: World['send'] = (service, text) =>
    postReply(service, { parentId, ...withText(text), headers: { 'idempotency-key': text.replaceAll(' ', '-') } })
  return {
    primary,
    standby,
    pgbouncer,
    services,
    emulator,
    send,
    async insist(service, text) {
      const endMs = performance.now() + PATIENCE_MS
      for (;;) {
        const answer = await send(service, text)
        if (answer.json.retryable !== true || performance.now() > endMs) return answer
        await sleep(Math.min(answer.json.retryAfterMs ?? 200, 500))
      }
    },
    posts: text => emulator.ledger.filter(({ message }) => message.data['text'] === text).length
  }
}

async function isReady(service: RunningService): Promise<boolean> {
  return (await readiness(service))[0] === 200
}

/** Both are ready again; within how many milliseconds after this was called. */
async function untilReady({ services }: World): Promise<number> {
  const startedAtMs = performance.now()
  await until(async () => (await Promise.all(services.map(isReady))).every(Boolean))
  return performance.now() - startedAtMs
}

async function isToldByBoth(t: Test, world: World, text: string, id: string): Promise<void> {
  for (const service of world.services) {
    const answer = await world.insist(service, text)
    t.same([answer.status, isReplayed(answer), answer.json.data?.id], [201, true, id], text)
  }
  t.equal(world.posts(text), 1, 'there is one post')
}

const TRIALS: readonly Trial[] = [
  [
    'one key that many send to both makes one post, and both tell of it',
    async (t, world) => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => world.insist(world.services[index % 2 === 0 ? 0 : 1], 'many'))
      )
      t.same(
        answers.filter(({ status }) => status !== 201).map(({ text }) => text),
        []
      )
      const [id] = new Set(answers.map(({ json }) => json.data.id))
      t.equal(answers.filter(answer => !isReplayed(answer)).length, 1)
      await isToldByBoth(t, world, 'many', id)
    }
  ],
  [
    'a Postgres that is stopped costs callers a second, and no reply',
    async (t, world) => {
      world.primary.pause()
      const startedAtMs = performance.now()
      const answers = await Promise.all(world.services.map(service => world.send(service, 'stopped')))
      const tookMs = performance.now() - startedAtMs
      t.ok(tookMs < 4000, `${Math.round(tookMs)} ms`)
      for (const answer of answers)
        expectProblem(t, answer, 'store-unavailable', { hasKey: true, delivery: 'not-sent' })
      t.equal(world.posts('stopped'), 0)

      world.primary.resume()
      await untilReady(world)
      t.equal((await world.insist(world.services[0], 'resumed')).status, 201)
    }
  ],
  [
    'after kill -9 of Postgres nothing is sent until it is back, and then all is known',
    async (t, world) => {
      const { id } = (await world.insist(world.services[1], 'before the kill')).json.data
      await world.primary.kill()
      for (const service of world.services) {
        const answer = await world.send(service, 'during')
        expectProblem(t, answer, 'store-unavailable', { hasKey: true, delivery: 'not-sent' })
        t.same(
          await until(
            () => readiness(service),
            ([status]) => status === 503
          ),
          [503, ['store']]
        )
      }
      t.equal(world.posts('during'), 0)

      await world.primary.restart()
      const backMs = await untilReady(world)
      t.ok(backMs < BACK_WITHIN_MS, `back ${Math.round(backMs)} ms after the server`)
      await isToldByBoth(t, world, 'before the kill', id)
      await isToldByBoth(t, world, 'many', (await world.insist(world.services[0], 'many')).json.data.id)
    }
  ],
  [
    'a reply that was posted is told, though Postgres is killed before it is recorded',
    async (t, world) => {
      world.emulator.failNext({ kind: 'delay', delayMs: 500 }, { method: 'POST' })
      const answering = world.insist(world.services[0], 'unrecorded')
      await until(() => world.posts('unrecorded') === 1)
      await world.primary.kill()
      const answer = await answering
      t.equal(answer.status, 201)
      await world.primary.restart()
      await isToldByBoth(t, world, 'unrecorded', answer.json.data.id)
    }
  ],
  [
    'a PgBouncer that is killed costs the instance behind it no reply',
    async (t, world) => {
      const { id } = (await world.insist(world.services[0], 'pooled')).json.data
      await world.pgbouncer.restart()
      const backMs = await untilReady(world)
      t.ok(backMs < BACK_WITHIN_MS, `back ${Math.round(backMs)} ms after it`)
      await isToldByBoth(t, world, 'pooled', id)
    }
  ],
  [
    'where a standby takes over that had not received everything nothing is doubled, and nothing is lost',
    async (t, world) => {
      const { standby, services } = world
      const [here, there] = services
      const replicated = (await world.insist(here, 'replicated')).json.data.id
      await until(
        async () =>
          (await standby.query(`SELECT FROM thread_reply_bff.records WHERE outcome LIKE '%"${replicated}"%'`))
            .length === 1
      )
      await standby.query(`ALTER SYSTEM SET primary_conninfo = ''`)
      await standby.query('SELECT pg_reload_conf()')
      await until(async () => (await standby.query('SELECT FROM pg_stat_wal_receiver')).length === 0)
      const missed = (await world.insist(there, 'missed')).json.data.id

      await world.primary.kill()
      await standby.promote()
      const backMs = await untilReady(world)
      t.ok(backMs < BACK_WITHIN_MS, `back ${Math.round(backMs)} ms after the standby`)
      await isToldByBoth(t, world, 'replicated', replicated)
      // Its record did not reach the standby; it is in its thread.
      await isToldByBoth(t, world, 'missed', missed)
      const fresh = await world.insist(here, 'never sent before')
      t.same([fresh.status, isReplayed(fresh)], [201, false], 'a key that it never knew is sent after a while')
      await isToldByBoth(t, world, 'never sent before', fresh.json.data.id)
    }
  ]
]
