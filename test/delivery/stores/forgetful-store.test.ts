// A store that forgets everything at the worst moment, as Redis may in a failover, and says so: at every step of a
// delivery, with the client back at the first instant at which the reply could be sent again.
import t from 'tap'
import { AppError } from '../../../src/errors.ts'
import { LEASE_MS } from '../model/attempt.ts'
import { Decisions } from '../model/decisions.ts'
import type { Fate } from '../model/fake-cometchat.ts'
import { QUIET_MS, Stage, type StageOptions } from '../model/stage.ts'
import { World } from '../model/world.ts'
import { FORGETFUL } from './stores.ts'

const FATES: readonly Fate[] = [
  'answers',
  'commits, and the connection dies',
  'does not commit, and the connection dies',
  'commits after the connection died',
  'commits after silence until the deadline',
  'refuses',
  'commits, and breaks its contract'
]
const HOUR_MS = 3_600_000
const RETURNS_MS = [0, 1000, LEASE_MS, QUIET_MS - 1, QUIET_MS, QUIET_MS + LEASE_MS - 1, QUIET_MS + LEASE_MS]

for (const fate of FATES) {
  t.test(`the store forgets while CometChat ${fate}: nothing is doubled, and the reply gets its answer`, async t => {
    for (const returnMs of RETURNS_MS) {
      const broken: string[] = []
      for (let step = 0; step <= 8; step++) {
        for (const isKilled of [false, true]) {
          for (const knowsReceiver of [false, true]) {
            broken.push(...(await play(fate, { step, returnMs, isKilled, knowsReceiver })))
          }
        }
      }
      t.same(broken, [], `back after ${returnMs} ms`)
    }
  })
}

t.test('where the thread cannot be searched, nothing with a key is sent for 48 hours after that', async t => {
  const mutateClient: StageOptions['mutateClient'] = real => ({
    ...real,
    findReply: () => Promise.reject(new AppError('upstream-invalid', 'Not read.', { delivery: 'not-sent' }))
  })
  const options = { openStore: FORGETFUL.open, mutateClient }
  const stage = await Stage.open(new World(), new Decisions([]), options)
  const process = await stage.startProcess('A')
  stage.forget()
  const answers: unknown[] = []
  for (const waitMs of [0, QUIET_MS + LEASE_MS, 47 * HOUR_MS]) {
    stage.world.advance(waitMs)
    const keyed = stage.begin('hello', process, `key after ${waitMs}`)
    await stage.takeSteps()
    answers.push(keyed.answer?.code)
  }
  const without = stage.begin('hello', process, null)
  await stage.takeSteps()

  t.same(
    answers,
    Array.from({ length: 3 }, () => 'idempotency-in-flight')
  )
  t.equal(without.answer?.code, '201', 'without a key there is nothing to look for')
})

interface Loss {
  readonly step: number
  readonly returnMs: number
  /** Whether the process dies with it. */
  readonly isKilled: boolean
  /** Then its record is acquired as SENT. */
  readonly knowsReceiver: boolean
}

async function play(fate: Fate, { step, returnMs, isKilled, knowsReceiver }: Loss): Promise<string[]> {
  const stage = await Stage.open(new World(), new Decisions([]), { openStore: FORGETFUL.open, knowsReceiver })
  const { world, cometchat } = stage
  cometchat.script.push(fate)
  const process = await stage.startProcess('A')
  stage.begin('hello', process)
  await stage.takeSteps(step)
  stage.forget()
  if (isKilled) world.kill(process, true)
  else await stage.takeSteps()
  world.advance(returnMs)
  await stage.takeSteps()
  cometchat.script.length = 0
  stage.begin('hello', await stage.startProcess('B'))
  await stage.takeSteps()
  await stage.converge([LEASE_MS, QUIET_MS])
  await stage.close()
  const broken = stage.broken()
  return broken.length === 0 ? [] : [...broken, ...world.trace]
}
