// What becomes of keyed replies when a Redis is started again, and while its replicas do not confirm: over the wire.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { until } from '../../helpers/until.ts'

t.setTimeout(120_000)

const STORE_SECRET = 'a-store-secret-for-tests-of-40-bytes-xxx'
const keyed = (key: string) => ({ headers: { 'idempotency-key': key } })

t.test(
  'after kill -9 with appendfsync always a new key is sent at once, and an old one is replayed',
  needsRedis(),
  async t => {
    const redis = await redisFor(t)
    const { emulator, env, parentId } = await startEmulator(t)
    const service = await hostService(t, { ...env, STORE_URL: redis.url, STORE_SECRET })
    const before = await until(
      () => postReply(service, { parentId, ...keyed('before') }),
      ({ status }) => status === 201
    )

    await redis.restart()
    const readyAtMs = performance.now()
    const after = await until(
      () => postReply(service, { parentId, ...keyed('after') }),
      ({ status }) => status === 201
    )
    const refusedForMs = performance.now() - readyAtMs

    t.ok(refusedForMs < 2000, `${Math.round(refusedForMs)} ms`)
    const again = await postReply(service, { parentId, ...keyed('before') })
    t.equal(again.json.data.id, before.json.data.id)
    t.not(after.json.data.id, before.json.data.id)
    t.equal(emulator.ledger.length, 2)
  }
)

t.test(
  'a reply whose record no replica confirms is not sent, and its retry is, once one does',
  needsRedis(),
  async t => {
    const primary = await redisFor(t)
    const replica = await redisFor(t, { replicaof: `127.0.0.1 ${primary.port}` })
    await until(async () => /master_link_status:up/.test(String(await replica.command('INFO', 'replication'))))
    const { emulator, env, parentId } = await startEmulator(t)
    const service = await hostService(t, { ...env, STORE_URL: primary.url, STORE_SECRET, STORE_WAIT_REPLICAS: '1' })
    await until(
      () => postReply(service, { parentId, ...keyed('first') }),
      ({ status }) => status === 201
    )

    replica.pause()
    const refused = await postReply(service, { parentId, ...keyed('held-back') })
    expectProblem(t, refused, 'store-unavailable', { hasKey: true })
    t.match(refused.json, { delivery: 'not-sent', retryable: true })
    t.equal(emulator.ledger.length, 1)
    const verbose = await (await fetch(`${service.adminUrl}/readyz?verbose`)).text()
    t.match(verbose, /fewer than STORE_WAIT_REPLICAS replicas confirm records/)
    t.equal((await postReply(service, { parentId })).status, 201, 'without a key nobody could ask for its record')

    replica.resume()
    const sent = await until(
      () => postReply(service, { parentId, ...keyed('held-back') }),
      ({ status }) => status === 201
    )
    t.equal(sent.headers.get('idempotent-replayed'), null)
    t.equal(emulator.ledger.length, 3, 'one post of it')
  }
)
