import t, { type Test } from 'tap'
import { createSealer } from '../../src/login/seal.ts'
import { createLoginSessions, type LoginSessions } from '../../src/login/sessions.ts'
import type { SessionStore } from '../../src/login/stores/session-store.ts'
import { STORE_KINDS, type StoreKind } from '../helpers/session-stores.ts'
import { openAt } from './stores/open-at.ts'

const IDLE_MS = 30 * 60_000
const ABSOLUTE_MS = 12 * 3_600_000
const alice = { issuer: 'https://issuer.test', sub: 'a', subject: 'alice', sid: 'one', profile: { name: 'Alice' } }
const secret = 'a secret that every instance shares, 32+'

interface World {
  readonly sessions: LoginSessions
  readonly storeUrl: string
  pass(ms: number): void
  now(): number
  /** Closes the store and opens it anew, as a restart does; another secret on request. */
  reopen(withSecret?: string): Promise<LoginSessions>
}

async function start(t: Test, kind: StoreKind): Promise<World> {
  const { storeUrl } = await kind.place(t)
  let nowMs = Date.now()
  let store: SessionStore = await openAt(t, storeUrl)
  t.teardown(() => store.close())
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined }
  const open = (sealed: string): LoginSessions =>
    createLoginSessions({ store, sealer: createSealer(sealed, clock), clock, idleMs: IDLE_MS, absoluteMs: ABSOLUTE_MS })
  return {
    storeUrl,
    sessions: open(secret),
    now: () => nowMs,
    pass: ms => {
      nowMs += ms
    },
    async reopen(withSecret = secret) {
      await store.close()
      store = await openAt(t, storeUrl)
      return open(withSecret)
    }
  }
}

for (const kind of STORE_KINDS) {
  t.test(`sessions in ${kind.name}`, kind.needs, async t => {
    t.test('a session is found under its id alone, and under no other text', async t => {
      const { sessions } = await start(t, kind)

      const id = await sessions.begin(alice)

      t.match(id, /^[A-Za-z0-9_-]{43}$/)
      t.match(await sessions.find(id), alice)
      for (const text of [
        '',
        'x',
        `${id}=`,
        ` ${id}`,
        id.toLowerCase(),
        id.slice(1),
        `${id.slice(0, -2)}AA`,
        '__proto__'
      ]) {
        t.equal(await sessions.find(text), undefined, JSON.stringify(text))
      }
      t.not(await sessions.begin(alice), id)
    })

    t.test('an idle session ends; every use moves that end', async t => {
      const { sessions, pass, now } = await start(t, kind)
      const used = await sessions.begin(alice)
      const idle = await sessions.begin({ ...alice, sid: 'two' })

      for (let round = 1; round <= 4; round++) {
        pass(IDLE_MS - 120_000)
        t.match(await sessions.find(used), { endsAtMs: now() + IDLE_MS }, `used in round ${round}`)
      }

      t.equal(await sessions.find(idle), undefined)
      pass(IDLE_MS)
      t.equal(await sessions.find(used), undefined, 'then it was left alone')
      pass(-IDLE_MS)
      t.equal(await sessions.find(used), undefined, 'and is gone, not only hidden')
    })

    t.test('use does not prolong a session beyond its longest life', async t => {
      const { sessions, pass } = await start(t, kind)
      const id = await sessions.begin(alice)

      for (let ms = 0; ms < ABSOLUTE_MS - 600_000; ms += 600_000) {
        pass(600_000)
        await sessions.find(id)
      }

      t.ok(await sessions.find(id))
      pass(600_000)
      t.equal(await sessions.find(id), undefined)
    })

    t.test('an ended session is dead, also for a use that was under way', async t => {
      const { sessions, pass } = await start(t, kind)
      const id = await sessions.begin(alice)
      pass(600_000)

      await Promise.all([sessions.find(id), sessions.end(id), sessions.find(id)])

      t.equal(await sessions.find(id), undefined)
      t.equal(await sessions.end(id), undefined)
    })

    t.test('the provider ends one of its sessions, or all of a user, and of nobody else', async t => {
      const { sessions } = await start(t, kind)
      const { issuer } = alice
      const [one, two, elsewhere, bob] = await Promise.all([
        sessions.begin(alice),
        sessions.begin({ ...alice, sid: 'two' }),
        sessions.begin({ ...alice, issuer: 'https://other.test' }),
        sessions.begin({ ...alice, sub: 'b', sid: 'three' })
      ])

      t.equal(await sessions.endAll({ issuer, sid: 'one' }), 1)
      t.equal(await sessions.find(one), undefined)
      t.ok(await sessions.find(two))
      t.equal(await sessions.endAll({ issuer, sub: 'a' }), 1)
      t.equal(await sessions.find(two), undefined)
      t.ok(await sessions.find(elsewhere), 'the same name at another issuer is another person')
      t.ok(await sessions.find(bob))
      t.equal(await sessions.endAll({ issuer, sid: 'never' }), 0)
    })

    t.test('what may be used once is used once, by one of many', async t => {
      const { sessions, pass } = await start(t, kind)
      const untilMs = Date.now() + 600_000

      const claims = await Promise.all(Array.from({ length: 20 }, () => sessions.consumeOnce('kind', 'x', untilMs)))

      t.equal(claims.filter(Boolean).length, 1)
      t.equal(await sessions.consumeOnce('other kind', 'x', untilMs), true)
      await sessions.forgetConsumed('kind', 'x')
      t.equal(await sessions.consumeOnce('kind', 'x', untilMs), true)
      pass(1000)
      t.equal(await sessions.consumeOnce('kind', 'x', untilMs), false)
    })

    if (!kind.survives) return
    t.test('sessions, their ends and their times outlive the process', async t => {
      const world = await start(t, kind)
      const [kept, ended, old] = await Promise.all(['1', '2', '3'].map(sid => world.sessions.begin({ ...alice, sid })))
      await world.sessions.end(ended ?? '')
      world.pass(IDLE_MS - 60_000)
      await world.sessions.find(kept ?? '')
      await world.sessions.consumeOnce('login', 'x', Date.now() + 24 * 3_600_000)
      world.pass(120_000)

      const reopened = await world.reopen()

      t.match(await reopened.find(kept ?? ''), { subject: 'alice' })
      t.equal(await reopened.find(ended ?? ''), undefined, 'ended before')
      t.equal(await reopened.find(old ?? ''), undefined, 'idle meanwhile')
      t.equal(await reopened.consumeOnce('login', 'x', Date.now() + 24 * 3_600_000), false)
      world.pass(ABSOLUTE_MS)
      t.equal(await reopened.find(kept ?? ''), undefined, 'too old')
    })

    t.test('with another secret nothing that is kept can be opened', async t => {
      const world = await start(t, kind)
      const id = await world.sessions.begin(alice)

      const reopened = await world.reopen('another secret, of somebody who may write there')

      t.equal(await reopened.find(id), undefined)
    })
  })
}

t.test('a store that fails is a 503, never a signed-out user', async t => {
  const broken = async (): Promise<never> => {
    throw new Error('ECONNREFUSED 127.0.0.1:6379')
  }
  const store: SessionStore = {
    put: broken,
    get: broken,
    touch: broken,
    delete: broken,
    deleteIndexed: broken,
    consumeOnce: broken,
    forgetConsumed: broken,
    isReady: () => false,
    close: async () => undefined
  }
  const clock = { now: () => 0, monotonic: () => 0, sleep: async () => undefined }
  const sessions = createLoginSessions({ store, sealer: createSealer(secret, clock), clock, idleMs: 1, absoluteMs: 1 })
  const id = 'A'.repeat(43)

  const calls: readonly (() => Promise<unknown>)[] = [
    () => sessions.begin(alice),
    () => sessions.find(id),
    () => sessions.end(id),
    () => sessions.endAll(alice),
    () => sessions.consumeOnce('a', 'b', 1)
  ]
  for (const call of calls) {
    await t.rejects(call(), { code: 'store-unavailable', message: /^The sessions cannot be reached/ })
  }
})
