// How long a key is remembered in each state, and what happens when it no longer is.
import t from 'tap'
import { createMemoryStore } from '../../../src/delivery/stores/memory/store.ts'
import { Decisions } from '../model/decisions.ts'
import type { Fate } from '../model/fake-cometchat.ts'
import { Stage, type StageOptions } from '../model/stage.ts'
import { World } from '../model/world.ts'
import { MEMORY } from './stores.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

t.test('a refusal is told again for five minutes without a call, and then CometChat is asked again', async t => {
  const { stage, ask } = await open()
  const first = await ask('refuses')
  stage.world.advance(5 * MINUTE_MS - 1)
  const again = await ask()
  const calls = stage.cometchat.posts.length
  stage.world.advance(1)
  const later = await ask()

  t.same([first?.code, again?.code, later?.code], ['rejected-by-cometchat', 'rejected-by-cometchat', '201'])
  t.equal(calls, 1)
})

t.test('an answer is told again for 24 hours; after that its key is a new one', async t => {
  const { stage, ask } = await open()
  const first = await ask()
  stage.world.advance(24 * HOUR_MS - 1)
  const again = await ask()
  stage.world.advance(1)
  const later = await ask()

  t.same([first?.code, again?.code, later?.code], ['201', '201 again', '201'])
  t.equal(again?.messageId, first?.messageId)
  t.equal(stage.cometchat.ledger.length, 2)
})

t.test('a reply of which nobody knows is looked for during 48 hours; after that its key is a new one', async t => {
  for (const [waitMs, code, messages] of [
    [48 * HOUR_MS - 1, '201 again', 1],
    [48 * HOUR_MS, '201', 2]
  ] as const) {
    const { stage, ask } = await open()
    const first = await ask('commits, and the connection dies')
    stage.world.advance(waitMs)
    const later = await ask()

    t.same([first?.verdict, later?.code], ['unknown', code])
    t.equal(stage.cometchat.ledger.length, messages)
  }
})

t.test('a reply without a key leaves no record, whatever became of it', async t => {
  const fates: readonly Fate[] = [
    'answers',
    'commits, and the connection dies',
    'does not commit, and the connection dies',
    'refuses',
    'wants to be asked later',
    'commits, and breaks its contract',
    'commits, and its answer meets a bug'
  ]
  for (const fate of fates) {
    const world = new World()
    const store = createMemoryStore({ monotonic: () => world.nowMs })
    const { ask } = await open({ openStore: () => ({ connect: () => store, close: () => store.close() }) }, world)
    await ask(fate, null)
    t.equal(store.size, 0, fate)
  }
})

t.test('without its record a reply that is not in the thread was not sent', async t => {
  const mutateStore: StageOptions['mutateStore'] = store => {
    const claim = () => Promise.reject(new Error('no answer'))
    const release = () => Promise.reject(new Error('no answer'))
    return {
      ...store,
      claim,
      release,
      msSinceDataLoss: () => undefined,
      isReady: () => false,
      close: () => store.close()
    }
  }
  const { stage, ask } = await open({ openStore: MEMORY.open, mutateStore })
  const [keyed, without] = [await ask(), await ask('answers', null)]

  t.match(keyed, { code: 'store-unavailable', verdict: 'not-sent', retryAfterMs: 1000 })
  t.match(without, { code: 'store-unavailable', verdict: 'not-sent', retryAfterMs: 1000 })
  t.equal(stage.cometchat.posts.length, 0)
})

async function open(options: StageOptions = { openStore: MEMORY.open }, world = new World()) {
  const stage = await Stage.open(world, new Decisions([]), options)
  const process = await stage.startProcess('A')
  return {
    stage,
    async ask(fate?: Fate, key?: null) {
      if (fate) stage.cometchat.script.push(fate)
      const attempt = stage.begin('hello', process, key)
      await stage.takeSteps()
      return attempt.answer
    }
  }
}
