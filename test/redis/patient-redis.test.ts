// When a command to Redis is given up: by the time in which this process could have read an answer.
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { redisConnection } from '../../src/redis/address.ts'
import { PatientRedis } from '../../src/redis/patient-redis.ts'
import { needsRedis, redisFor } from '../helpers/redis-server.ts'
import { redisAddress } from '../lib/addresses.ts'

const TIMEOUT_MS = 400

async function connected(t: Test) {
  const server = await redisFor(t, { appendonly: 'no' })
  const redis = new PatientRedis(redisConnection(redisAddress(server.url), TIMEOUT_MS))
  redis.on('error', () => undefined)
  t.teardown(() => redis.disconnect())
  await redis.connect()
  return { server, redis }
}

function holdUpThisProcess(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

t.test('an answer that came while this process was held up is read', needsRedis(), async t => {
  const { redis } = await connected(t)
  await redis.set('key', 'value')
  const asked = redis.get('key')
  await turn()
  holdUpThisProcess(2 * TIMEOUT_MS)
  t.equal(await asked, 'value')
})

t.test(
  'a Redis that answers nothing is given up after its time, and what it says later counts for nothing',
  needsRedis(),
  async t => {
    const { server, redis } = await connected(t)
    server.pause()
    t.teardown(() => server.resume())
    const startMs = performance.now()
    const codes = await Promise.all(
      ['set', 'get'].map(name => redis.call(name, ...(name === 'set' ? ['key', '1'] : ['key'])).catch(String))
    )
    t.same(codes, ['Error: Command timed out', 'Error: Command timed out'])
    // Timers are whole milliseconds, and each of the parts may be one early.
    t.ok(performance.now() - startMs >= TIMEOUT_MS - 5)
    server.resume()
    t.equal(await redis.get('key'), '1', 'it goes on with the same connection')
  }
)
