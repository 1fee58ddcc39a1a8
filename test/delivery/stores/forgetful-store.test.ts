// A store that forgets everything at the worst moment, as Redis may in a failover, and says so: at every step of a
// delivery, with the client back at the first instant at which the reply could be sent again.
import t from 'tap'
import type { RecordStore } from '../../../src/delivery/record.ts'
import { createMemoryStore } from '../../../src/delivery/stores/memory/store.ts'
import { AppError } from '../../../src/errors.ts'
import { type Attempt, LEASE_MS } from '../model/attempt.ts'
import { Decisions } from '../model/decisions.ts'
import type { Fate } from '../model/fake-cometchat.ts'
import { QUIET_MS, Stage, type StageOptions } from '../model/stage.ts'
import { type Process, World } from '../model/world.ts'
import { wrapStore } from '../wrap-store.ts'
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
    findReply: () =>
      Promise.reject(
        new AppError('upstream-invalid', 'Not read.', { delivery: 'not-sent', reason: 'thread-unreadable' })
      )
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

  t.same(answers, ['store-recovering', 'idempotency-in-flight', 'idempotency-in-flight'])
  t.equal(without.answer?.code, '201', 'without a key there is nothing to look for')
})

t.test(
  'a record in doubt that was taken over since may come back from a replica: the one who took it may have sent',
  async t => {
    const world = new World()
    const { open, stopReplicating, failOver } = replicated(world)
    const stage = await Stage.open(world, new Decisions([]), { openStore: open })
    const process = await stage.startProcess('A')
    stage.cometchat.script.push('does not commit, and the connection dies', 'commits after the connection died')
    stage.begin('hello', process)
    await stage.takeSteps()
    stopReplicating()
    world.advance(QUIET_MS)
    const second = stage.begin('hello', process)
    await stage.takeSteps()
    t.equal(second.answer?.code, 'upstream-reset', 'it was sent again, since the first one is absent')

    failOver()
    world.advance(1000)
    const waitsMs: number[] = []
    for (;;) {
      const { answer } = await retry(stage, process)
      if (answer?.code !== 'idempotency-in-flight') break
      waitsMs.push(answer.retryAfterMs ?? 0)
      world.advance(waitsMs.at(-1) ?? 0)
    }
    t.same(waitsMs, [1000, 5000, 30_000, QUIET_MS + LEASE_MS - 1000 - 36_000])
    await stage.converge([0])
    t.same(stage.broken(), [])
  }
)

async function retry(stage: Stage, process: Process): Promise<Attempt> {
  const attempt = stage.begin('hello', process)
  await stage.takeSteps()
  return attempt
}

/** Two stores, of which the second gets what the first gets, until it does not. */
function replicated(world: World) {
  const make = (): RecordStore => createMemoryStore({ monotonic: () => world.nowMs })
  const [primary, replica] = [make(), make()]
  let isReplicating = true
  let failedOverAtMs: number | undefined
  const store = wrapStore(() => (failedOverAtMs === undefined ? primary : replica), {
    msSinceDataLoss: () => (failedOverAtMs === undefined ? undefined : world.nowMs - failedOverAtMs)
  })
  const both = new Proxy(store, {
    get(_store, name) {
      const member: unknown = Reflect.get(store, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        if (isReplicating) void Reflect.get(replica, name).apply(replica, args)
        return Reflect.apply(member, store, args)
      }
    }
  })
  return {
    open: () => ({ connect: () => both, close: () => both.close() }),
    stopReplicating() {
      isReplicating = false
    },
    failOver() {
      failedOverAtMs = world.nowMs
    }
  }
}

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
