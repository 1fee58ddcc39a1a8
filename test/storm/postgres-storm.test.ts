import t from 'tap'
import { needsPgBouncer } from '../helpers/pgbouncer.ts'
import { hasProved } from './proof.ts'
import { runStorm } from './run-storm.ts'

const seed = Number(process.env['STORM_SEED'] ?? 20_261_121)

t.setTimeout(230_000)

t.test(
  'over a Postgres that is killed, and whose standby had not received everything, no reply is doubled or lost',
  needsPgBouncer(),
  async t => {
    const facts = await runStorm({ replies: 250, seconds: 12, seed, store: 'postgres', restSeconds: 25 })
    t.comment(`STORM_SEED=${seed}`)
    t.comment(JSON.stringify(facts))

    t.ok(facts.hasFailedOver && facts.storeKills > 0, `${facts.storeKills} kills of the server or its pooler`)
    t.equal(facts.lost, 0)
    t.test('nothing is doubled, and nothing was told wrongly', hasProved(facts), async t => {
      t.equal(facts.doubled, 0)
      t.same(facts.lies, [])
      t.ok(facts.sent > facts.replies / 2, `${facts.sent} of ${facts.replies} told as sent`)
    })
  }
)
