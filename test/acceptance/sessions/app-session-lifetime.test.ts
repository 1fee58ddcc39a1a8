import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { BACKENDS, connected, SECRET } from '../../helpers/app-backends.ts'
import { startSessionTarget } from '../../helpers/app-session.ts'
import { needsRedis } from '../../helpers/redis-server.ts'
import { until } from '../../helpers/until.ts'

/** Whole seconds: connect-redis counts in them. Long enough for a busy machine not to miss a turn. */
const LIFETIME_MS = 3000

t.test('a session lives as long as its backend says', needsRedis(), async t => {
  const target = await startSessionTarget(t)
  const { redis, reply } = target
  const client = await connected(t, redis.url)

  for (const [name, startBackend] of BACKENDS) {
    const backend = await startBackend(t, { redisUrl: redis.url, secrets: [SECRET], maxAgeMs: LIFETIME_MS })
    const statusOf = async (cookie: string): Promise<number> => (await reply(cookie)).status
    const endsWith401 = (cookie: string): Promise<number> =>
      until(
        () => statusOf(cookie),
        status => status !== 201
      )

    t.test(`${name}: one that is used goes on, one that is not ends, and so does one whose key was kept`, async t => {
      await client.flushAll()
      const kept = await backend.login('bob')
      for (const key of await client.keys('sess:*')) await client.persist(key)
      const idle = await backend.login('alice')
      const used = await backend.login('alice')
      // The first visit changes the session, so it is written; the later ones only renew it.
      await backend.visit(used)
      const writtenMs = performance.now()
      t.same(await Promise.all([kept, idle, used].map(statusOf)), [201, 201, 201], 'at first all of them reply')

      while (performance.now() < writtenMs + LIFETIME_MS + 300) {
        await sleep(200)
        await backend.visit(used)
      }

      t.equal(await statusOf(used), 201, 'later the one in use')
      t.equal(await statusOf(idle), 401, 'but not the idle one')
      t.equal(await client.keys('sess:*').then(keys => keys.length), 2, 'the key of the kept one is still there')
      t.equal(await statusOf(kept), 401, 'and it has ended all the same')
      t.equal(await endsWith401(used), 401, 'in the end none')
    })
  }
})
