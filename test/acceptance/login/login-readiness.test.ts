import t from 'tap'
import { startLogin } from '../../helpers/login.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { readiness } from '../../helpers/service-process.ts'
import { until } from '../../helpers/until.ts'

const STORE_SECRET = 'a-store-secret-that-every-instance-shares'

t.test('/readyz says when sessions cannot be kept, and when they can be again', needsRedis(), async t => {
  const redis = await redisFor(t)
  await redis.command('ACL', 'SETUSER', 'default', 'resetkeys', '~reply:*')
  const { service, signIn, me } = await startLogin(t, { STORE_URL: redis.url, STORE_SECRET }, {}, 'listening')

  t.same(await readiness(service), [503, ['login-store']])

  await redis.command('ACL', 'SETUSER', 'default', 'allkeys')
  await until(
    () => readiness(service),
    ([status]) => status === 200
  )
  t.equal((await me(await signIn())).status, 200)
  const told = service.logLines().filter(({ msg }) => String(msg).includes('login session'))
  t.equal(told.length, 2, 'the log says once that it could not and once that it can')
})
