// Slots of a Redis Cluster: as Redis counts them.
import t from 'tap'
import { readClusterSlots, slotOf, tagWhere } from '../../src/redis/slots.ts'
import { needsRedis, redisFor } from '../helpers/redis-server.ts'

const ASKED = { host: 'here', port: 1 }

t.test('a key is in the slot that Redis says', needsRedis(), async t => {
  const redis = await redisFor(t, { 'cluster-enabled': 'yes' })
  const keys = ['', 'a', 'reply:meta', '{a}b', 'x{a}', '{}a', '{a', 'a}', '}{a}', '{{a}}', 'é{ü}', '123456789']
  for (const key of keys) t.equal(slotOf(key), await redis.command('CLUSTER', 'KEYSLOT', key), key)
})

t.test('a tag takes a key to a slot that fits', async t => {
  t.equal(slotOf(`any{${tagWhere(slot => slot === 16_383)}}`), 16_383)
})

t.test('the map of a cluster says who holds a slot, and whether all of them are held', async t => {
  const master = ['10.0.0.1', 7000, 'id', []]
  const whole = readClusterSlots([[0, 16_383, master, ['10.0.0.9', 7009, 'id', []]]], ASKED)
  t.equal(whole.hasGaps, false)
  t.same([...whole.servers.keys()], ['10.0.0.1:7000'], 'replicas are not asked')

  const halves = readClusterSlots(
    [
      [8192, 16_383, [null, 7001, 'id']],
      [0, 100, master]
    ],
    ASKED
  )
  t.same([0, 100, 101, 8192].map(halves.ownerOf), ['10.0.0.1:7000', '10.0.0.1:7000', undefined, 'here:7001'])
  t.equal(halves.hasGaps, true)
  t.not(halves.text, whole.text)
})

for (const answer of [null, 'OK', [[0]], [[0, 1, ['h', 'port']]], [['0', 1, ['h', 1]]]]) {
  t.test(`${JSON.stringify(answer)} is not such a map`, async t => {
    t.throws(() => readClusterSlots(answer, ASKED), { message: 'not an answer to CLUSTER SLOTS' })
  })
}
