import t from 'tap'
import { QUIET_MS, runStorm } from './run-storm.ts'

const seed = Number(process.env['STORM_SEED'] ?? 20_261_121)

t.setTimeout(90_000)

t.test('in a short storm of failures, kills and pauses no reply is doubled or lost', async t => {
  t.comment(`STORM_SEED=${seed}`)
  const facts = await runStorm({ replies: 400, seconds: 5, seed, store: 'both', restSeconds: 12 })
  t.comment(JSON.stringify(facts))

  // What CometChat does so late may be doubled, and here CometChat is this very process.
  if (facts.lagMs >= QUIET_MS) t.comment('this machine is too busy for the storm to prove anything about doubles')
  else t.equal(facts.doubled, 0)
  t.equal(facts.lost, 0)
  t.same(facts.lies, [], 'nothing was told wrongly')
  t.ok(facts.kills > 0, `${facts.kills} kills`)
  t.ok(facts.sent > facts.replies / 2, `${facts.sent} of ${facts.replies} told as sent`)
})

t.test('the same storm over records that are not shared and do not last doubles replies, and sees it', async t => {
  const facts = await runStorm({ replies: 150, seconds: 4, seed, store: 'memory', restSeconds: 4 })
  t.comment(JSON.stringify(facts))

  t.ok(facts.doubled > 0, `${facts.doubled} doubled`)
})
