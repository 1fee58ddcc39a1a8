// The promises as a property: several processes over one store, and at every step anything that can go wrong.
import fc from 'fast-check'
import t from 'tap'
import { MUTANTS } from './model/mutants.ts'
import { play } from './model/scenario.ts'
import { QUIET_MS, type StageOptions } from './model/stage.ts'
import { MEMORY, startStores } from './stores/stores.ts'

const seed = Number(process.env['MODEL_SEED'] ?? 20_261_121)
const runs = Number(process.env['MODEL_RUNS'] ?? 2000)
const numbers = fc.array(fc.nat({ max: 999 }), { maxLength: 500, size: 'max' })

t.comment(`MODEL_SEED=${seed} MODEL_RUNS=${runs}`)
t.setTimeout(600_000)

const { stores, missing, close } = await startStores()
t.teardown(close)
for (const { name, reason } of missing) t.test(`${name} is tried, too`, { skip: reason }, async () => undefined)

for (const { name, open, share, marginMs } of stores) {
  const numRuns = Math.ceil(runs * share)

  t.test(`${name} crashes, pauses and lost words never break a promise`, async t => {
    const seen = { attempts: 0, posts: 0, kills: 0 }
    const see: Eyes['see'] = verdict => {
      seen.attempts += verdict.attempts
      seen.posts += verdict.posts
      seen.kills += verdict.kills
    }
    await fc.assert(keepsPromises({ openStore: open, latestCommitMs: QUIET_MS - marginMs }, { see }), { seed, numRuns })
    t.comment(`${numRuns} scenarios, ${seen.attempts} attempts, ${seen.posts} posts, ${seen.kills} kills`)
    t.ok(seen.posts > 0, 'replies were posted')
  })
}

for (const { mistake, breaks, options } of MUTANTS) {
  t.test(`${mistake} is caught`, async t => {
    const property = keepsPromises({ openStore: MEMORY.open, ...options }, { ofKind: breaks })
    const { failed, numRuns } = await fc.check(property, { seed, numRuns: 5000, endOnFailure: true })
    t.comment(`after ${numRuns} scenarios`)
    t.ok(failed, `it breaks ${breaks.source}`)
  })
}

interface Eyes {
  readonly see?: (verdict: Awaited<ReturnType<typeof play>>) => void
  /** Which broken promises count; all of them unless given. */
  readonly ofKind?: RegExp
}

function keepsPromises(options: StageOptions, { see, ofKind = /./ }: Eyes) {
  return fc.asyncProperty(numbers, async choices => {
    const verdict = await play(choices, options)
    see?.(verdict)
    const broken = verdict.broken.filter(text => ofKind.test(text))
    if (broken.length > 0) throw new Error([...broken, ...verdict.trace].join('\n'))
  })
}
