// What a handshake shows that was under way when it was asked for another.
import t from 'tap'
import { redisConnection } from '../../src/redis/address.ts'
import { RedisClient } from '../../src/redis/client.ts'
import { emptiedDuringHandshake } from '../helpers/emptied-during-handshake.ts'
import { needsRedis, redisFor } from '../helpers/redis-server.ts'
import { redisAddress } from '../lib/addresses.ts'

t.setTimeout(240_000)

t.test('a handshake that began before it was asked for shows nothing', needsRedis(), async t => {
  const server = await redisFor(t)
  await emptiedDuringHandshake(
    t,
    'Redis cannot be reached',
    answered =>
      new RedisClient({
        connection: redisConnection(redisAddress(server.url), 2000),
        variable: 'STORE_URL',
        async handshake(redis) {
          await redis.ping()
          answered()
        }
      })
  )
})
