// Which transitions a reply takes, and that none of them is skipped where it is needed.
import t from 'tap'
import type { RecordStore } from '../../src/delivery/record.ts'
import { LEASE_MS } from './model/attempt.ts'
import { Decisions } from './model/decisions.ts'
import { QUIET_MS, Stage, type StageOptions } from './model/stage.ts'
import { World } from './model/world.ts'
import { FORGETFUL, MEMORY } from './stores/stores.ts'
import { wrapStore } from './wrap-store.ts'

interface Scene {
  readonly stage: Stage
  /** What was asked of the store. */
  readonly asked: string[]
  /** Sends the reply and returns what it hears. */
  send(key?: null): Promise<string | undefined>
}

async function open(options: Partial<StageOptions> = {}): Promise<Scene> {
  const asked: string[] = []
  const { mutateStore = (store: RecordStore) => store } = options
  const stage = await Stage.open(new World(), new Decisions([]), {
    openStore: MEMORY.open,
    ...options,
    mutateStore: store => noting(mutateStore(store), asked)
  })
  return {
    stage,
    asked,
    async send(key) {
      const attempt = stage.begin('hello', await stage.startProcess('A'), key)
      await stage.takeSteps()
      return attempt.answer?.code
    }
  }
}

function noting(store: RecordStore, asked: string[]): RecordStore {
  const note = <T>(what: string, answer: T): T => {
    asked.push(what)
    return answer
  }
  return {
    acquire: (claim, as) => note(`claim as ${as}`, store.acquire(claim, as)),
    peek: claim => note('peek', store.peek(claim)),
    markSent: (key, owner) => note('markSent', store.markSent(key, owner)),
    markInDoubt: (key, owner) => note('doubt', store.markInDoubt(key, owner)),
    takeOver: (key, previous, claim) => note('reclaim', store.takeOver(key, previous, claim)),
    complete: (key, owner, outcome) => note('finish', store.complete(key, owner, outcome)),
    release: (key, owner, search) => note('release', store.release(key, owner, search)),
    noteSearch: (key, former, search) => note('noteSearch', store.noteSearch(key, former, search)),
    time: key => store.time(key),
    msSinceDataLoss: key => store.msSinceDataLoss(key),
    isReady: () => store.isReady(),
    close: () => store.close()
  }
}

t.test('a reply whose receiver is known takes two transitions', async t => {
  const { asked, send } = await open({ knowsReceiver: true })

  t.equal(await send(), '201')
  t.same(asked, ['claim as sent', 'finish'])
})

t.test('without a key it takes two, and leaves nothing', async t => {
  const { asked, send } = await open({ knowsReceiver: true })

  t.equal(await send(null), '201')
  t.same(asked, ['claim as sent', 'release'])
})

t.test('a reply whose receiver has to be asked for is not SENT before it can be', async t => {
  const { asked, send } = await open({ knowsReceiver: false })

  t.equal(await send(), '201')
  t.same(asked, ['claim as pending', 'markSent', 'finish'])
})

t.test('a client that goes while its record is acquired as SENT gets no reply, and leaves nothing', async t => {
  const { stage, asked } = await open({ knowsReceiver: true })
  const attempt = stage.begin('hello', await stage.startProcess('A'))
  attempt.isWaiting = false
  await stage.takeSteps()

  t.equal(attempt.answer?.code, 'client-closed')
  t.same(asked, ['claim as sent', 'release'])
  t.equal(stage.cometchat.posts.length, 0)
})

t.test('where records may have been lost, a reply is looked for before it is SENT', async t => {
  const { stage, asked, send } = await open({ openStore: FORGETFUL.open, knowsReceiver: true })
  stage.forget()

  t.equal(await send(), 'store-recovering')
  t.same(asked, ['claim as pending', 'noteSearch', 'noteSearch', 'release'])
  stage.world.advance(LEASE_MS + QUIET_MS)
  asked.length = 0
  t.equal(await send(), '201')
  t.same(asked, ['claim as pending', 'noteSearch', 'noteSearch', 'markSent', 'finish'])
})

t.test('a store that forgets while it is asked is found out all the same', async t => {
  let isForgetful = false
  const { asked, send } = await open({
    knowsReceiver: true,
    mutateStore: store =>
      wrapStore(store, {
        acquire(claim, as) {
          isForgetful = true
          return store.acquire(claim, as)
        },
        msSinceDataLoss: () => (isForgetful ? LEASE_MS + QUIET_MS : undefined)
      })
  })

  t.equal(await send(), '201')
  const looked = ['claim as sent', 'noteSearch', 'noteSearch', 'markSent', 'finish']
  t.same(asked, looked, 'the thread was read meanwhile: is the record still ours?')
})

t.test('a claim of which nothing was heard is given back, so that a retry need not wait', async t => {
  let isBroken = true
  const { asked, send } = await open({
    knowsReceiver: true,
    mutateStore: store =>
      wrapStore(store, {
        async acquire(claim, as) {
          const acquired = await store.acquire(claim, as)
          if (isBroken) throw new Error('no answer')
          return acquired
        }
      })
  })

  t.equal(await send(), 'store-unavailable')
  t.same(asked, ['claim as sent', 'release'])
  isBroken = false
  t.equal(await send(), '201', 'at once')
})

t.test('a store that only ever claims as PENDING is asked to mark the record', async t => {
  const { asked, send } = await open({
    knowsReceiver: true,
    mutateStore: store =>
      wrapStore(store, {
        acquire: claim => store.acquire(claim)
      })
  })

  t.equal(await send(), '201')
  t.same(asked, ['claim as sent', 'markSent', 'finish'])
})
