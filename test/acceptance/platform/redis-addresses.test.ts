// Addresses of Redis mean what they say, and a Redis that tells little of itself is used all the same.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { needsRedis, type RedisSettings, redisFor } from '../../helpers/redis-server.ts'
import { runService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

const STORE_SECRET = 'x'.repeat(32)
const CANNOT_BE_KNOWN =
  'whether the Redis of STORE_URL evicts or has lost records cannot be known: it does not answer INFO to this user'
/** As README says them. */
const RIGHTS = '+eval +evalsha +exists +time +type +hmget +hset +hdel +del +pexpire'.split(' ')

t.setTimeout(240_000)
const { env, parentId } = await startEmulator(t)

t.test('a database that does not exist is refused', needsRedis(), async t => {
  const redis = await redisFor(t, { databases: '4' })
  const session = { AUTH_SESSION_SECRET: 's'.repeat(32) }
  for (const [change, name] of [
    [{ STORE_URL: `${redis.url}/99`, STORE_SECRET }, 'STORE_URL'],
    [{ AUTH_SESSION_STORE_URL: `${redis.url}/4`, ...session }, 'AUTH_SESSION_STORE_URL']
  ] as const) {
    const { exitCode, errors } = await runService({ ...env, ...change })
    t.equal(exitCode, 1)
    t.equal(errors, `${name} names a database that this Redis does not have: change the number at its end.\n`)
  }
  t.equal(await redis.command('DBSIZE'), 0, 'and nothing was written to database 0')
})

t.test('one that exists is the one that is used', needsRedis(), async t => {
  const redis = await redisFor(t, { databases: '4' })
  const service = await hostService(t, { ...env, STORE_URL: `${redis.url}/3`, STORE_SECRET })

  t.equal((await postReply(service, { parentId, headers: { 'idempotency-key': 'in-three' } })).status, 201)
  t.equal(await redis.command('DBSIZE'), 0)
  t.match(await redis.command('INFO', 'keyspace'), /^db3:keys=[12],/m)
})

t.test('a user without SELECT is refused another database', needsRedis(), async t => {
  const redis = await redisFor(t)
  await redis.command('ACL', 'SETUSER', 'app', 'on', '>p', '~reply:*', ...RIGHTS)
  const url = redis.url.replace('//', '//app:p@')
  const { exitCode, errors } = await runService({ ...env, STORE_URL: `${url}/3`, STORE_SECRET })

  t.equal(exitCode, 1)
  t.match(errors, /^STORE_URL .*SELECT for another database than 0\.\n$/)
})

t.test('a user without a right that is needed is told all of them', needsRedis(), async t => {
  const redis = await redisFor(t)
  await redis.command('ACL', 'SETUSER', 'app', 'on', '>p', '~reply:*', '+ping')
  const { exitCode, errors } = await runService({
    ...env,
    STORE_URL: redis.url.replace('//', '//app:p@'),
    STORE_SECRET
  })

  t.equal(exitCode, 1)
  for (const right of RIGHTS) t.match(errors, right.slice(1).toUpperCase())
})

const SILENT: readonly (readonly [title: string, settings: RedisSettings, user?: string])[] = [
  ['is unknown', { 'rename-command': 'INFO ""' }],
  ['has another name', { 'rename-command': 'INFO hidden-info' }],
  ['is forbidden to the user', {}, 'app:p@']
]
for (const [index, [title, settings, user = '']] of SILENT.entries()) {
  t.test(`where INFO ${title} that is said once, and the store works`, needsRedis(), async t => {
    const redis = await redisFor(t, settings)
    if (user !== '') await redis.command('ACL', 'SETUSER', 'app', 'on', '>p', '~reply:*', ...RIGHTS)
    const service = await hostService(t, { ...env, STORE_URL: redis.url.replace('//', `//${user}`), STORE_SECRET })
    const post = () => postReply(service, { parentId, headers: { 'idempotency-key': `without-info-${index}` } })
    const [first, second] = [await post(), await post()]

    t.strictSame([first.status, second.status], [201, 201])
    t.equal(second.headers.get('idempotent-replayed'), 'true')
    const warnings = service.logLines().filter(({ level }) => level === 'warn' || level === 'error')
    t.strictSame(
      warnings.map(({ msg }) => msg),
      [CANNOT_BE_KNOWN]
    )
  })
}
