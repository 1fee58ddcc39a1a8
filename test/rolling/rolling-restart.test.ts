// The short form of `npm run rolling-restart`: the configurations of deploy/ under which a restart loses nothing.
import t from 'tap'
import { withoutRedis } from '../helpers/redis-server.ts'
import { seedOf } from '../helpers/seed.ts'
import { FRONTS, withoutFront } from './fronts.ts'
import { runRollingRestart } from './run-rolling-restart.ts'

t.setTimeout(240_000)
const skip = withoutRedis() ?? FRONTS.map(withoutFront).find(missing => missing !== undefined)
const options = skip === undefined || process.env['CI'] ? {} : { skip }

t.test(
  'while both instances are restarted no request fails behind haproxy or nginx, and none is posted twice',
  options,
  async t => {
    const rounds = await runRollingRestart({
      fronts: FRONTS,
      rounds: 2,
      callers: 6,
      drainDelayMs: 1000,
      seed: seedOf(t)
    })

    t.equal(rounds.length, 1)
    for (const { behind, lost, doubled, answered } of rounds) {
      t.strictSame({ lost, doubled }, { lost: 0, doubled: 0 })
      for (const { front, sent, failures } of behind) {
        t.strictSame(failures, [], front)
        t.ok(sent > 0, `${front}: ${sent} sent`)
      }
      t.ok(
        answered.every(count => count > 0),
        `answered ${answered.join(' and ')}`
      )
    }
  }
)
