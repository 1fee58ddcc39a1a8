// The short form of `npm run rolling-restart`: the configurations of deploy/ under which a restart loses nothing.
import t from 'tap'
import { withoutRedis } from '../helpers/redis-server.ts'
import { seedOf } from '../helpers/seed.ts'
import { FRONTS, withoutFront } from './fronts.ts'
import type { Failure } from './load.ts'
import { runRollingRestart } from './run-rolling-restart.ts'

t.setTimeout(240_000)
const skip = withoutRedis() ?? FRONTS.map(withoutFront).find(missing => missing !== undefined)
const options = skip === undefined || process.env['CI'] ? {} : { skip }

/** What the service itself refuses, because this machine is busy and Redis late: it says so, and that is no loss. */
const OF_A_BUSY_MACHINE = /^(?:503 (?:store-unavailable|overloaded)|504 deadline-exceeded|409 idempotency-in-flight)$/

/** What a restart is to blame for. */
function ofRestart(failures: readonly Failure[]): Failure[] {
  // Where Redis is late, no instance is ready for a moment.
  const isStoreLate = failures.some(({ why }) => why === '503 store-unavailable')
  return failures.filter(
    ({ why, isKeyed }) =>
      !OF_A_BUSY_MACHINE.test(why) &&
      !(isStoreLate && why === '503 of the balancer') &&
      // Of those without a key nginx may tell one that it has no answer (deploy/README.md).
      (isKeyed || why !== '502 of the balancer')
  )
}

t.test(
  'while both instances are restarted no request fails for it behind haproxy or nginx, and none is posted twice',
  options,
  async t => {
    const rounds = await runRollingRestart({
      fronts: FRONTS,
      rounds: 1,
      callers: 6,
      drainDelayMs: 1000,
      seed: seedOf(t)
    })

    t.equal(rounds.length, 1)
    for (const { behind, lost, doubled, answered } of rounds) {
      t.strictSame({ lost, doubled }, { lost: 0, doubled: 0 })
      for (const { front, sent, failures } of behind) {
        t.strictSame(ofRestart(failures), [], front)
        t.ok(sent > 0, `${front}: ${sent} sent`)
      }
      t.ok(
        answered.every(count => count > 0),
        `answered ${answered.join(' and ')}`
      )
    }
  }
)
