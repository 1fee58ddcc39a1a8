import t from 'tap'
import { needsRedis } from '../helpers/redis-server.ts'
import { hasProved } from './proof.ts'
import { runStorm } from './run-storm.ts'

const seed = Number(process.env['STORM_SEED'] ?? 20_261_129)
const STORES = { sentinel: 'behind sentinels', cluster: 'in a cluster whose slots move' } as const

t.setTimeout(400_000)

for (const store of ['sentinel', 'cluster'] as const) {
  t.test(`${STORES[store]}, with a master that is killed, no reply is doubled or lost`, needsRedis(), async t => {
    const facts = await runStorm({ replies: 40, seconds: 2, seed, store, paging: 'either', restSeconds: 10 })
    t.comment(`STORM_SEED=${seed}`)
    t.comment(JSON.stringify(facts))

    t.ok(facts.hasFailedOver, `${facts.storeKills} masters were killed`)
    t.equal(facts.lost, 0)
    t.test('nothing is doubled, and nothing was told wrongly', hasProved(facts), async t => {
      t.equal(facts.doubled, 0)
      t.same(facts.lies, [])
      t.ok(facts.sent > 0, `${facts.sent} of ${facts.replies} told as sent`)
    })
  })
}
