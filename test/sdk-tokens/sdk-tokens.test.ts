// One token for each sign-in, whatever happens at the same time; CometChat is a list of tokens.
import t from 'tap'
import { AppError } from '../../src/errors.ts'
import { Secret } from '../../src/lib/secret.ts'
import type { CometChatUid } from '../../src/lib/service/cometchat-uid.ts'
import { createSealer } from '../../src/login/seal.ts'
import { createMemorySessionStore } from '../../src/login/stores/memory.ts'
import type { ServiceEvent } from '../../src/observability/events.ts'
import { createSdkTokens, type Holder } from '../../src/sdk-tokens/sdk-tokens.ts'

const DAY_MS = 24 * 3_600_000
const DEADLINE = { atMs: Number.POSITIVE_INFINITY }
const SECRET = 'a secret that every instance shares, 32+'
const ALICE = 'alice' as CometChatUid

const phone: Holder = { scheme: 'bearer', issuer: 'urn:test', subject: 'alice', uid: ALICE, session: 'sid phone' }
const laptop: Holder = { ...phone, session: 'sid laptop' }

function startWorld({ secret = SECRET }: { secret?: string } = {}) {
  let nowMs = 1_000_000
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    // Those who wait must not make the time of the one they wait for run out: it passes with that of the machine.
    sleep: async () => {
      nowMs += 1
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  }
  const store = createMemorySessionStore()
  const events: ServiceEvent[] = []
  const living = new Set<string>()
  const world = {
    made: 0,
    isOpen: true,
    isAway: false,
    beforeAnswer: async (): Promise<void> => undefined
  }
  const cometchat = {
    async create(uid: CometChatUid) {
      if (world.isAway) throw new AppError('upstream-reset', 'gone', { delivery: 'not-sent' })
      const token = `${uid}_${++world.made}`
      living.add(token)
      await world.beforeAnswer()
      return new Secret(token)
    },
    async revoke(_uid: CometChatUid, token: Secret) {
      if (world.isAway) throw new AppError('upstream-reset', 'gone', { delivery: 'not-sent' })
      living.delete(token.reveal())
    }
  }
  const instance = () =>
    createSdkTokens({
      store,
      sealer: createSealer(secret, clock),
      cometchat,
      clock,
      deadlineMs: 10_000,
      isOpen: async () => world.isOpen,
      emit: event => void events.push(event)
    })
  const pass = (ms: number): void => {
    nowMs += ms
  }
  return { store, events, living, world, instance, pass, now: () => nowMs }
}

const shown = async (taken: Promise<{ token: Secret; isNew: boolean }>): Promise<readonly [string, boolean]> => {
  const { token, isNew } = await taken
  return [token.reveal(), isNew]
}

t.test('a sign-in has one token, and each sign-in its own', async t => {
  const { instance, living } = startWorld()
  const tokens = instance()
  t.same(await shown(tokens.take(phone, DEADLINE)), ['alice_1', true])
  t.same(await shown(tokens.take(phone, DEADLINE)), ['alice_1', false])
  t.same(await shown(tokens.take(laptop, DEADLINE)), ['alice_2', true])
  t.same(await shown(instance().take(phone, DEADLINE)), ['alice_1', false], 'another instance knows it, too')

  t.equal(await tokens.revoke(phone, DEADLINE), true)
  t.equal(await tokens.revoke(phone, DEADLINE), false, 'there is none any more')
  t.same([...living], ['alice_2'], 'the laptop is still signed in')
  t.same(await shown(tokens.take(phone, DEADLINE)), ['alice_3', true], 'and the phone may sign in again')
})

t.test('who shares neither issuer, subject nor way to sign in shares no token', async t => {
  const { instance } = startWorld()
  const tokens = instance()
  const others: Holder[] = [
    phone,
    { ...phone, issuer: 'urn:other' },
    { ...phone, subject: 'bob', uid: 'bob' as CometChatUid },
    { ...phone, scheme: 'app-session' },
    { ...phone, scheme: 'login' },
    { ...phone, session: undefined }
  ]
  const taken = await Promise.all(others.map(async holder => (await shown(tokens.take(holder, DEADLINE)))[0]))
  t.equal(new Set(taken).size, others.length)
})

t.test('calls at the same time, at several instances, make one token', async t => {
  const { instance, world, living } = startWorld()
  world.beforeAnswer = async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
  }
  const takes = Array.from({ length: 6 }, () => shown(instance().take(phone, DEADLINE)))
  const taken = await Promise.all(takes)

  t.same(new Set(taken.map(([token]) => token)), new Set(['alice_1']))
  t.equal(taken.filter(([, isNew]) => isNew).length, 1)
  t.equal(living.size, 1)
})

t.test('a call has not for ever to wait for another one', async t => {
  const { instance, world, now } = startWorld()
  let answer = (): void => undefined
  world.beforeAnswer = () => new Promise<void>(resolve => (answer = resolve))
  const first = instance().take(phone, DEADLINE)
  await new Promise(resolve => setImmediate(resolve))
  await t.rejects(instance().take(phone, { atMs: now() + 350 }), { code: 'deadline-exceeded', delivery: 'not-sent' })
  answer()
  t.match(await first, { isNew: true })
})

t.test('a sign-out while the token is made leaves none behind', async t => {
  const { instance, world, living, events } = startWorld()
  const tokens = instance()
  const holder: Holder = { ...phone, scheme: 'login', session: 'name' }
  world.beforeAnswer = async () => {
    world.isOpen = false
    await tokens.revokeEnded(['name'])
  }
  await t.rejects(tokens.take(holder, DEADLINE), { code: 'unauthenticated', reason: 'login-session' })
  t.same([...living], [])
  t.same(events, [])
})

t.test('sessions of this service that have ended lose their tokens, and no others', async t => {
  const { instance, living } = startWorld()
  const tokens = instance()
  const sessions = ['one', 'two', 'three'].map(session => ({ ...phone, scheme: 'login', session }))
  for (const session of sessions) await tokens.take(session, DEADLINE)
  await tokens.take({ ...phone, session: 'one' }, DEADLINE)
  await tokens.revokeEnded(['one', 'three', 'nobody'])
  t.same([...living], ['alice_2', 'alice_4'])
})

t.test('while CometChat is away a token stays, which the caller or the operator is told', async t => {
  const { instance, world, living, events } = startWorld()
  const tokens = instance()
  const holder: Holder = { ...phone, scheme: 'login', session: 'name' }
  await tokens.take(phone, DEADLINE)
  await tokens.take(holder, DEADLINE)
  world.isAway = true
  await t.rejects(tokens.revoke(phone, DEADLINE), { code: 'upstream-reset' })
  await tokens.revokeEnded(['name'])
  t.same(events, [{ name: 'alarm', alarm: 'sdk-token-left', uid: 'alice' }])
  world.isAway = false
  t.equal(await tokens.revoke(phone, DEADLINE), true, 'it can be tried again')
  t.same([...living], ['alice_2'])
})

t.test('what cannot be kept is not given out, and taken back', async t => {
  const { instance, store, living } = startWorld()
  const { put } = store
  store.put = async () => {
    throw new Error('away')
  }
  await t.rejects(instance().take(phone, DEADLINE), { code: 'store-unavailable', delivery: 'not-sent' })
  t.same([...living], [])
  store.put = put
  t.match(await instance().take(phone, DEADLINE), { isNew: true })
})

t.test('a person who is another user of CometChat now gets no token of the former one, which ends', async t => {
  const { instance, living } = startWorld()
  const tokens = instance()
  await tokens.take(phone, DEADLINE)
  t.same(await shown(tokens.take({ ...phone, uid: 'alice-2' as CometChatUid }, DEADLINE)), ['alice-2_2', true])
  t.same([...living], ['alice-2_2'])
})

t.test('a token in use is known for longer than thirty days, and one that is not is forgotten', async t => {
  const { instance, pass } = startWorld()
  const tokens = instance()
  await tokens.take(phone, DEADLINE)
  for (let day = 0; day < 40; day += 20) {
    pass(20 * DAY_MS)
    t.match(await tokens.take(phone, DEADLINE), { isNew: false })
  }
  pass(31 * DAY_MS)
  t.equal(await tokens.revoke(phone, DEADLINE), false)
})

t.test('the store shows no token, and a record under another name opens for nobody', async t => {
  const { instance, store, living } = startWorld()
  const tokens = instance()
  const puts: [string, Parameters<typeof store.put>[1]][] = []
  const { put } = store
  store.put = (name, record, nowMs) => {
    puts.push([name, record])
    return put(name, record, nowMs)
  }
  await tokens.take(phone, DEADLINE)
  await tokens.take({ ...phone, subject: 'bob', uid: 'bob' as CometChatUid }, DEADLINE)
  t.notMatch(JSON.stringify(puts), /alice|bob|urn:test|phone/)
  const [[ofAlice = ''] = [], [, bobs] = []] = puts
  t.ok(bobs)
  if (bobs) await put(ofAlice, bobs, 0)
  t.same((await shown(tokens.take(phone, DEADLINE)))[0], 'alice_3', "not bob's")
  t.ok(living.has('bob_2'))
})
