// Several tabs over one storage: one sends, the others watch; with Web Locks, with a lease where there are none, and in an
// engine that has next to nothing.
import t, { type Test } from 'tap'
import { flush, follow, lostAfter, once, openApp, openWorld, refusal, THREAD, text, type World } from './client-kit.ts'

/** Takes globals away until the test ends. */
function without(t: Test, changes: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(changes)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name)
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    t.teardown(() => {
      if (before) Object.defineProperty(globalThis, name, before)
      else Reflect.deleteProperty(globalThis, name)
    })
  }
}

/** Messages between tabs come by the event loop's own time. */
async function meet(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await flush()
}

/** Two tabs of one account: the first sends, and the second watches. */
async function openTabs(t: Test) {
  const { pass, world } = openWorld(t)
  const first = world.open()
  await meet()
  const second = world.open()
  await meet()
  return { pass, world, first, second, a: follow(first), b: follow(second) }
}

t.test('one tab sends, and all show the same', async t => {
  const { pass, world, first, second, a, b } = await openTabs(t)
  world.weather = once(() => refusal(503, 'draining', { retryable: true, retryAfterMs: 5000 }))
  second.send(THREAD, text('from the second'), { key: 'k1' })
  await pass(1)
  first.send(THREAD, text('from the first'), { key: 'k2' })
  await meet()
  t.same(world.posts.length, 1)
  t.same(a.states, ['waiting', 'queued'])
  t.same(b.states, ['waiting', 'queued'])

  await pass(10_000)
  await meet()
  t.same(a.states, ['sent', 'sent'])
  t.same(b.states, ['sent', 'sent'])
  t.same(
    world.posted.map(one => one.text),
    ['from the second', 'from the first'],
    'in the order in which they were written'
  )
  t.equal(world.posts.length, 3)
})

t.test('the next tab goes on where one ended, and posts nothing twice', async t => {
  const { pass, world, first, second, b } = await openTabs(t)
  world.weather = once((_call, serve) => {
    serve()
    return new Promise(() => undefined)
  })
  second.send(THREAD, text('Hello!'), { key: 'k1' })
  await meet()
  t.equal(world.posts.length, 1, 'the first tab is sending it')
  first.close()
  await pass(2000)
  await meet()
  t.match(b.last, { is: 'sent' })
  t.equal(world.posted.length, 1)
})

t.test('a tab that watches asks the one that sends, and promises nothing in its name', async t => {
  const { pass, world, first, second, a, b } = await openTabs(t)
  world.weather = once(
    () => refusal(503, 'draining', { retryable: true, retryAfterMs: 60_000 }),
    () => refusal(422, 'rejected-by-cometchat')
  )
  first.send(THREAD, text('one'), { key: 'k1' })
  await meet()
  t.equal(second.discard('k1'), false, 'the other tab may be sending it by now')
  await meet()
  t.same([a.replies, b.replies], [[], []], 'it was not')

  first.send(THREAD, text('two'), { key: 'k2' })
  await meet()
  await pass(100)
  t.match(b.last, { is: 'failed' })
  second.edit('k2', text('three'))
  await meet()
  t.match(a.replies, [{ body: text('three'), state: { is: 'sent' } }])
  t.match(b.replies, [{ body: text('three'), state: { is: 'sent' } }])
})

/** As another tab would say that it has changed a reply. */
function say(t: Test, world: World, key: string): void {
  const channel = new BroadcastChannel(`thread-replies ${world.url} reply `)
  t.teardown(() => channel.close())
  channel.postMessage(key)
}

t.test('a reply that may be posted is not forgotten because another tab took it for not posted', async t => {
  const { pass, world } = openWorld(t)
  world.weather = once(lostAfter, () =>
    refusal(503, 'store-recovering', { delivery: 'unknown', retryable: true, retryAfterMs: 5000 })
  )
  const shown = follow(world.open())
  await meet()
  const client = world.open()
  client.send(THREAD, text('Hello!'), { key: 'k1' })
  await meet()
  await pass(1000)
  world.items.delete(`thread-replies ${world.url} reply k1`)
  say(t, world, 'k1')
  await meet()
  t.match(shown.last, { is: 'unconfirmed' })
  await pass(6000)
  await meet()
  t.match(shown.last, { is: 'sent' })
  t.equal(world.posted.length, 1)
})

t.test('what a tab changes while it reads is not undone by what it reads', async t => {
  const { pass, world } = openWorld(t)
  world.weather = once(() => refusal(422, 'rejected-by-cometchat'))
  let read = (): void => undefined
  let gate: Promise<void> | undefined
  const client = world.open({
    storage: {
      ...world.storage,
      getItem: async name => {
        await gate
        return world.storage.getItem(name)
      }
    }
  })
  const shown = follow(client)
  client.send(THREAD, text('Hello!'), { key: 'k1' })
  await flush()
  t.match(shown.last, { is: 'failed' })
  gate = new Promise(resolve => {
    read = resolve
  })
  say(t, world, 'k1')
  await meet()
  client.retry('k1')
  read()
  await meet()
  await pass(100)
  t.match(shown.last, { is: 'sent' })
})

t.test('each account has a tab of its own that sends', async t => {
  const { world } = openWorld(t)
  const alice = world.open()
  const bob = world.open({ auth: { bearer: async () => 'bob-token' } })
  await meet()
  const [a, b] = [follow(alice), follow(bob)]
  alice.send(THREAD, text('of Alice'))
  bob.send(THREAD, text('of Bob'))
  await meet()
  t.match(world.posted.map(({ as, text }) => `${as}: ${text}`).sort(), ['alice: of Alice', 'bob: of Bob'])
  t.match([a.replies, b.replies], [[{ body: text('of Alice') }], [{ body: text('of Bob') }]])
})

t.test('without Web Locks a lease in the storage says who sends, and is taken over when it ends', async t => {
  const { pass, world } = openWorld(t)
  without(t, { navigator: {}, document: { hidden: false }, BroadcastChannel: undefined })
  const first = world.open()
  const second = world.open()
  await pass(1000)
  const [a, b] = [follow(first), follow(second)]
  for (const [index, client] of [second, first, second].entries()) client.send(THREAD, text(`reply ${index}`))
  await pass(6000, 60)
  t.same(world.posts.length, 3, 'each was sent once')
  t.same(a.states, ['sent', 'sent', 'sent'])
  t.same(b.states, ['sent', 'sent', 'sent'])

  first.close()
  second.close()
  const third = world.open()
  third.send(THREAD, text('later'))
  await pass(15_000, 60)
  t.equal(world.posted.length, 4)
})

t.test('where Web Locks are refused, as in a sandboxed frame, each tab sends for itself', async t => {
  const { world } = openWorld(t)
  without(t, { navigator: { locks: { request: () => Promise.reject(new Error('SecurityError')) } } })
  const client = world.open()
  const shown = follow(client)
  client.send(THREAD, text('Hello!'))
  await meet()
  t.same(shown.states, ['sent'])
})

t.test('offline it waits, and comes back with one try', async t => {
  const { pass, world } = openWorld(t)
  const listeners = new Map<string, () => void>()
  const navigator = { onLine: true, locks: globalThis.navigator.locks }
  without(t, {
    navigator,
    addEventListener: (name: string, listener: () => void) => listeners.set(name, listener),
    removeEventListener: () => undefined
  })
  const client = world.open()
  const shown = follow(client)
  await flush()
  navigator.onLine = false
  listeners.get('offline')?.()
  client.send(THREAD, text('Hello!'))
  await pass(600_000)
  t.match(shown.last, { is: 'queued', because: 'offline' })
  t.equal(world.posts.length, 0)
  navigator.onLine = true
  world.weather = once(() => {
    throw new TypeError('fetch failed')
  })
  listeners.get('online')?.()
  await flush()
  t.equal(world.posts.length, 1, 'one try')
  await pass(1000)
  t.match(shown.last, { is: 'sent' })
})

t.test('it needs nothing that the engine of React Native lacks', async t => {
  const { world } = openWorld(t)
  const signal = AbortSignal as unknown as Record<string, unknown>
  const { timeout, any } = AbortSignal
  t.teardown(() => Object.assign(signal, { timeout, any }))
  Object.assign(signal, { timeout: undefined, any: undefined })
  without(t, {
    crypto: undefined,
    structuredClone: undefined,
    URLSearchParams: undefined,
    TextEncoder: undefined,
    TextDecoder: undefined,
    BroadcastChannel: undefined,
    indexedDB: undefined,
    navigator: { product: 'ReactNative' }
  })
  const bodiless = async (url: string, init: RequestInit): Promise<Response> => {
    const answer = await world.fetch(url, init)
    return {
      ok: answer.ok,
      status: answer.status,
      headers: answer.headers,
      text: () => answer.text()
    } as unknown as Response
  }
  const client = world.open({ random: undefined, fetch: bodiless })
  const shown = follow(client)
  client.send(THREAD, text('Hello!'))
  await flush()
  t.match(shown.last, { is: 'sent' })
})

t.test('without a storage of the app and without IndexedDB it works in memory', async t => {
  const { client, shown } = openApp(t, undefined, { storage: undefined })
  client.send(THREAD, text('Hello!'))
  await flush()
  t.match(shown.last, { is: 'sent' })
})
