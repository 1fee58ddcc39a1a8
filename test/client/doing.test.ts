// What a person does with a reply: edit, discard, try again; and what an app reads.
import t from 'tap'
import { explain, fromCometChat } from '../../packages/client/src/index.ts'
import type { Page } from '../../packages/client/src/types.ts'
import { flush, isPost, lostAfter, lostBefore, once, openApp, openWorld, refusal, THREAD, text } from './client-kit.ts'

t.test('another text of a reply that was refused is another reply, under another key', async t => {
  const { world, client, shown } = openApp(
    t,
    once(() => refusal(422, 'rejected-by-cometchat'))
  )
  client.send(THREAD, { ...text('Bad words'), muid: 'bubble-1' }, { key: 'k1' })
  await flush()
  const edited = client.edit('k1', text('Good words'))
  t.not(edited.key, 'k1')
  await flush()
  t.match(shown.replies, [
    { key: edited.key, body: { data: { text: 'Good words' }, muid: 'bubble-1' }, state: { is: 'sent' } }
  ])
  t.match(world.posted, [{ key: edited.key, text: 'Good words' }])
})

t.test('another text of a sent reply takes the place of the first, and is repeated until that is known', async t => {
  const { pass, world, client, shown } = openApp(t)
  client.send(THREAD, text('Helo'), { key: 'k1' })
  await flush()
  let lost = 0
  world.weather = (call, serve) => {
    if (call.method !== 'PATCH' || lost++ > 0) return undefined
    serve()
    throw new TypeError('fetch failed')
  }
  client.edit('k1', text('Hello'))
  await pass(1000)
  t.match(shown.replies, [
    { key: 'k1', body: text('Hello'), state: { is: 'sent', id: '1000', message: text('Hello') } }
  ])
  t.match(world.posts.slice(1), [
    { method: 'PATCH', path: '/threads/100/replies/1000', text: '{"data":{"text":"Hello"}}' },
    {}
  ])
  t.same(
    world.posted.map(one => one.text),
    ['Hello']
  )
})

t.test('an edit that is refused says so, and the reply exists', async t => {
  const { world, client, shown } = openApp(t)
  client.send(THREAD, text('Hello'), { key: 'k1' })
  await flush()
  world.weather = call => (call.method === 'PATCH' ? refusal(403, 'not-yours') : undefined)
  client.edit('k1', text('Other'))
  await flush()
  t.match(shown.last, { is: 'failed', problem: { code: 'not-yours' }, mayExist: true, canEdit: true })
  world.weather = () => undefined
  client.edit('k1', text('Third'))
  await flush()
  t.match(shown.last, { is: 'sent', message: text('Third') })
})

t.test('only what cannot be posted is forgotten or edited', async t => {
  const { pass, world, client, shown } = openApp(
    t,
    once(() => refusal(503, 'draining', { retryable: true, retryAfterMs: 60_000 }))
  )
  await flush()
  client.send(THREAD, text('one'), { key: 'k1' })
  client.send(THREAD, text('two'), { key: 'k2' })
  await Promise.resolve()
  t.equal(client.discard('k1'), false, 'it is being sent')
  t.throws(() => client.edit('k1', text('x')), /may be posted/)
  await flush()
  t.equal(client.discard('k2'), true, 'it waits behind another')
  t.equal(client.discard('k1'), true, 'it is not posted')
  await pass(120_000)
  t.same(world.posted, [])
  t.same(shown.replies, [])
  t.notOk([...world.items.keys()].some(name => /k[12]$/.test(name)))

  world.weather = once(lostBefore, () =>
    refusal(503, 'store-recovering', { delivery: 'unknown', retryable: true, retryAfterMs: 60_000 })
  )
  client.send(THREAD, text('three'), { key: 'k3' })
  await pass(2000)
  t.match(shown.last, { is: 'unconfirmed' })
  t.equal(client.discard('k3'), false)
})

t.test('a signal takes back what was not begun', async t => {
  const { pass, world, client, shown } = openApp(
    t,
    once(() => refusal(503, 'draining', { retryable: true, retryAfterMs: 5000 }))
  )
  const leaving = new AbortController()
  client.send(THREAD, text('one'), { signal: leaving.signal })
  client.send(THREAD, text('two'), { signal: leaving.signal })
  await flush()
  leaving.abort()
  await pass(10_000)
  t.same(shown.replies, [])
  t.same(world.posted, [])
  t.throws(() => client.send(THREAD, text('three'), { signal: leaving.signal }), /aborted/)
})

t.test('a person who insists is believed after one more look', async t => {
  const { pass, world, client, shown } = openApp(
    t,
    once(lostAfter, () => refusal(403, 'forbidden'))
  )
  let hides = true
  const { weather } = world
  world.weather = (call, serve) => {
    if (hides && call.path.includes('by-key')) return refusal(403, 'forbidden')
    return weather(call, serve)
  }
  client.send(THREAD, text('Hello!'), { key: 'k1' })
  await pass(5000)
  t.match(shown.last, { is: 'failed', problem: { code: 'forbidden' }, mayExist: true, canEdit: false })
  hides = false
  client.retry('k1')
  await flush()
  t.match(shown.last, { is: 'sent' })
  t.equal(world.posts.filter(isPost).length, 2, 'it was found, and not sent again')
})

t.test('a thread is listed with its cursors, and a refusal is an error with its problem', async t => {
  const { world } = openWorld(t)
  world.weather = ({ path }) => {
    if (path === '/me') return undefined
    if (path.includes('cursor=')) return refusal(422, 'invalid-request')
    return { status: 200, json: { data: [{ id: '1' }], page: { older: 'o+/=', newer: 'n' } } }
  }
  const client = world.open({ auth: { cookie: 'include' } })
  t.same(await client.list(THREAD, { limit: 5 }), { messages: [{ id: '1' }], older: 'o+/=', newer: 'n' })
  t.match(world.calls.at(-1), { path: '/threads/100/replies?limit=5' })
  await t.rejects(client.list(THREAD, { cursor: 'o+/=' }), {
    message: 'invalid-request',
    problem: { code: 'invalid-request', status: 422 }
  })
  t.match(world.calls.at(-1), { path: '/threads/100/replies?cursor=o%2B%2F%3D' })
})

t.test('a watched thread is read every 5 s, every 30 s while it is quiet, and at once after an own reply', async t => {
  const { pass, world } = openWorld(t)
  const client = world.open()
  const pages: Page[] = []
  const end = client.watch(THREAD, page => void pages.push(page))
  const reads = (): number => world.calls.filter(({ method, path }) => method === 'GET' && path !== '/me').length
  await flush()
  t.match(pages, [{ messages: [] }], 'as it is')
  await pass(10_000, 100)
  t.equal(reads(), 2)
  await pass(600_000, 1000)
  const quiet = reads()
  t.ok(quiet >= 20 && quiet <= 26, `${quiet} reads in ten quiet minutes`)
  t.equal(pages.length, 1, 'nothing is told twice')

  client.send(THREAD, text('Hello!'))
  await flush()
  t.match(pages.at(-1), { messages: [{ data: { text: 'Hello!' } }] }, 'at once')
  world.posted.push({ key: 'of-bob', threadId: THREAD, text: 'Hi', as: 'bob', id: '5000' })
  await pass(6000)
  t.equal(pages.at(-1)?.messages.length, 2, 'within 5 s after something happened')
  end()
  const { length } = world.calls
  await pass(60_000)
  t.equal(world.calls.length, length)
})

t.test('a live source takes the place of polling', async t => {
  const { pass, world } = openWorld(t)
  const rings = new Map<string, () => void>()
  const client = world.open({
    live: (threadId, ring) => {
      rings.set(threadId, ring)
      return () => rings.delete(threadId)
    }
  })
  const pages: Page[] = []
  const end = client.watch(THREAD, page => void pages.push(page))
  await pass(60_000)
  t.equal(world.calls.filter(({ path }) => path !== '/me').length, 1)
  world.posted.push({ key: 'of-bob', threadId: THREAD, text: 'Hi', as: 'bob', id: '5000' })
  rings.get(THREAD)?.()
  await flush()
  t.equal(pages.length, 2)
  end()
  t.equal(rings.size, 0)
})

t.test('a reply of the SDK is translated, with its muid', t => {
  const message = {
    parentMessageId: 100,
    text: 'Hi',
    muid: '_5zytz',
    data: { text: 'Hi' },
    receiver: 'bob',
    receiverType: 'user'
  }
  t.same(fromCometChat(message), {
    threadId: '100',
    body: { muid: '_5zytz', data: { text: 'Hi' }, receiver: 'bob', receiverType: 'user' }
  })
  t.end()
})

t.test('a problem is explained by what a person can do', t => {
  const problem = {
    code: 'invalid-request',
    status: 422,
    delivery: 'not-sent',
    retryable: false,
    whose: 'user'
  } as const
  const errors = [{ pointer: '', code: 'too-long', detail: '', limit: 100, actual: 130 }]
  t.same(explain({ ...problem, errors }), {
    id: 'too-long',
    params: { limit: 100, actual: 130, over: 30 },
    text: 'This reply is too long by 30.',
    whose: 'user'
  })
  t.match(explain({ ...problem, code: 'rate-limited', retryAfterMs: 2500 }), {
    id: 'rate-limited',
    params: { seconds: 3 }
  })
  const unheardOf = { ...problem, code: 'of-tomorrow' } as unknown as Parameters<typeof explain>[0]
  t.match(explain(unheardOf), { id: 'of-tomorrow', text: /Chat is not available/ })
  t.end()
})
