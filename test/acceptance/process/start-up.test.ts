// What a start loads: only what its configuration needs, and from what the last one kept.
import t from 'tap'
import { needsPostgres, postgresFor } from '../../helpers/postgres-server.ts'
import { needsRedis, startRedis } from '../../helpers/redis-server.ts'
import { type ServiceEnv, startService } from '../../helpers/service-process.ts'
import { startEmulator } from '../../helpers/thread.ts'

t.setTimeout(240_000)
const { env } = await startEmulator(t)
/** What only some configurations need. */
const OPTIONAL = ['ioredis', 'pg', 'openid-client'] as const

/** Node tells on standard error what it looks for in its cache of compiled code: every module, by its file. */
async function startTelling(t: Parameters<typeof startService>[0], change: ServiceEnv = {}): Promise<string> {
  const service = await startService(t, { ...env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE', ...change })
  await service.stop('SIGINT')
  return service.errors.join('')
}

const packagesIn = (told: string) => OPTIONAL.filter(name => told.includes(`/node_modules/${name}/`))

t.test('with records in memory and tokens nothing is loaded that they do not need', async t => {
  const told = await startTelling(t, { OPENAPI: 'on' })

  t.match(told, '/node_modules/fastify/')
  t.strictSame(packagesIn(told), [])
  t.match(told, '/src/routes/openapi/route.ts')
  t.notMatch(told, '/src/routes/openapi/document.ts', 'the document is for the first who asks')
  t.notMatch(told, /\/src\/(?:delivery\/stores\/(?:sqlite|postgres|redis)|postgres)\//)
})

t.test('with records in Redis, its client is loaded', needsRedis(), async t => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const told = await startTelling(t, {
    STORE_URL: redis.url,
    STORE_SECRET: 'a-secret-of-more-than-32-bytes-for-a-test'
  })

  t.strictSame(packagesIn(told), ['ioredis'])
})

t.test('with records in Postgres, its client is loaded', needsPostgres(), async t => {
  const postgres = await postgresFor(t)
  const told = await startTelling(t, {
    STORE_URL: postgres.url,
    STORE_SECRET: 'a-secret-of-more-than-32-bytes-for-a-test'
  })

  t.strictSame(packagesIn(told), ['pg'])
})

t.test('a second start compiles nothing of the service again', async t => {
  await startTelling(t)
  const told = await startTelling(t)

  t.match(told, /cache for ESM file:\S+\/src\/app\.ts was accepted/)
  t.match(told, /retrieving transpile cache for StrippedTypeScript file:\S+\/src\/app\.ts/)
})
