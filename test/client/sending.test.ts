// What becomes of a reply in the client: one post each, whatever the network, the page and the person do.
import t from 'tap'
import {
  flush,
  follow,
  gateway,
  isPost,
  lostAfter,
  lostBefore,
  once,
  openApp,
  openWorld,
  refusal,
  THREAD,
  text
} from './client-kit.ts'

const HOUR_MS = 3_600_000

t.test('a reply is shown at once, posted once, and told as sent with its message', async t => {
  const { world, client, shown } = openApp(t)
  const reply = client.send(THREAD, text('Hello!'))
  t.match(reply, { threadId: THREAD, body: text('Hello!'), state: { is: 'sending' }, key: /^[\w.-]{20,}$/ })
  await flush()

  t.match(shown.replies, [{ key: reply.key, state: { is: 'sent', id: '1000', message: { data: { text: 'Hello!' } } } }])
  t.match(world.posted, [{ key: reply.key, text: 'Hello!', as: 'alice' }])
  t.match(world.posts, [{ headers: { authorization: 'Bearer alice-token', 'content-type': 'application/json' } }])
  t.match(world.posts, [{ init: { credentials: 'omit', keepalive: true } }])
})

t.test('it is stored with its owner and its first try before the first byte leaves', async t => {
  const { world } = openWorld(t)
  const stored: unknown[] = []
  world.weather = call => {
    if (isPost(call)) stored.push([...world.items.values()].map(item => item))
    return undefined
  }
  const client = world.open()
  client.send(THREAD, text('Hello!'), { key: 'k1' })
  await flush()

  const [items] = stored as [string[]]
  const entry = items.map(item => JSON.parse(item)).find(item => item.key === 'k1')
  t.match(entry, {
    key: 'k1',
    threadId: THREAD,
    body: text('Hello!'),
    firstTryAt: Number,
    owner: /issuer\.test.*alice/
  })
})

for (const [name, weather, code] of [
  ['an answer that is lost', lostAfter, 'no-answer'],
  ['a request that is lost', lostBefore, 'no-answer'],
  ['an answer that is not ours', gateway, 'not-ours']
] as const) {
  t.test(`${name} makes it unconfirmed, and the same key finds out`, async t => {
    const { pass, world, client, shown } = openApp(t, once(weather))
    client.send(THREAD, text('Hello!'), { key: 'k1' })
    await flush()
    t.match(shown.last, { is: 'unconfirmed', until: Number, code })
    await pass(1000)
    t.equal(world.posted.length, 1, 'posted once')
    t.same(
      world.posts.map(({ headers }) => headers['idempotency-key']),
      ['k1', 'k1']
    )
  })
}

t.test('not-sent waits for as long as the service asks, and is then sent', async t => {
  const { pass, world, client, shown } = openApp(
    t,
    once(() => refusal(429, 'rate-limited', { retryable: true, retryAfterMs: 30_000 }))
  )
  client.send(THREAD, text('Hello!'))
  await flush()
  t.match(shown.last, { is: 'waiting', code: 'rate-limited', until: Number })

  client.resume()
  await pass(29_000)
  t.equal(world.posts.length, 1, 'not even a return to the page is earlier')
  await pass(3000)
  t.same(shown.states, ['sent'])
})

t.test('a final refusal is told with its problem, and steps aside', async t => {
  const { client, shown } = openApp(
    t,
    once(() => refusal(422, 'rejected-by-cometchat', { whose: 'user' }))
  )
  client.send(THREAD, text('Bad words'))
  client.send(THREAD, text('Good words'))
  t.same(shown.states, ['sending', 'sending'])
  await flush()

  t.match(shown.replies, [
    { state: { is: 'failed', problem: { code: 'rejected-by-cometchat' }, mayExist: false, canEdit: true } },
    { state: { is: 'sent' } }
  ])
})

t.test('the replies of a thread are posted in order, those of others do not wait', async t => {
  const { pass, world, client, shown } = openApp(
    t,
    once(() => refusal(503, 'upstream-unreachable', { retryable: true, retryAfterMs: 1000 }))
  )
  for (const words of ['one', 'two', 'three']) client.send(THREAD, text(words))
  await flush()
  client.send('200', text('elsewhere'))
  await flush()
  t.match(shown.replies, [
    { state: { is: 'waiting' } },
    { state: { is: 'queued', because: 'earlier-first' } },
    { state: { is: 'queued', because: 'earlier-first' } }
  ])
  t.same(
    world.posted.map(one => one.text),
    ['elsewhere']
  )
  await pass(2000)
  t.same(
    world.posted.map(one => one.text),
    ['elsewhere', 'one', 'two', 'three']
  )
})

t.test('a double click, a second render and the same key are one reply', async t => {
  const { pass, world } = openWorld(t)
  const client = world.open()
  const first = client.send(THREAD, text('Hello!'))
  t.equal(client.send(THREAD, text('Hello!')).key, first.key)
  await flush()
  t.equal(client.send(THREAD, text('Hello!'), { key: first.key }).state.is, 'sent')
  t.throws(() => client.send(THREAD, text('Other'), { key: first.key }), /belongs to another/)
  await pass(1500)
  client.send(THREAD, text('Hello!'))
  await flush()
  t.equal(world.posted.length, 2, 'who says it again later says it again')
})

t.test('a reload in the middle of anything posts it once, and shows it', async t => {
  const { pass, world } = openWorld(t)
  let release = (): void => undefined
  world.weather = (call, serve) => {
    if (!isPost(call) || world.posts.length > 1) return undefined
    serve()
    return new Promise(resolve => {
      release = () => resolve(refusal(500, 'nobody hears it'))
    })
  }
  const before = world.open()
  before.send(THREAD, text('Hello!'), { key: 'k1' })
  await flush()
  before.close()

  const after = world.open()
  const shown = follow(after)
  await flush()
  await pass(2000)
  t.match(shown.replies, [{ key: 'k1', state: { is: 'sent', id: '1000' } }])
  t.equal(world.posted.length, 1)
  t.equal(after.send(THREAD, text('Hello!'), { key: 'k1' }).state.is, 'sent', 'its draft is known by its key')
  release()
  await flush()
  t.match(shown.last, { is: 'sent' }, 'what the page before it hears late changes nothing')
  t.match(JSON.parse(world.items.get(`thread-replies ${world.url} reply k1`) ?? ''), { state: { is: 'sent' } })
})

for (const [name, weather, expected, again] of [
  ['found', lostAfter, { is: 'sent', id: '1000' }, 'sent'],
  ['not found', lostBefore, { is: 'unconfirmed', until: undefined }, 'sending']
] as const) {
  t.test(`past 23 hours it is looked up, and never sent by itself: ${name}`, async t => {
    const { pass, world } = openWorld(t)
    world.weather = once(weather)
    const first = world.open()
    first.send(THREAD, text('Hello!'), { key: 'k1' })
    await flush()
    first.close()
    await pass(23 * HOUR_MS + 60_000, 1)
    const client = world.open()
    const shown = follow(client)
    await flush()
    t.match(shown.last, expected)
    t.equal(world.posts.length, 1, 'nothing more was sent')
    t.match(world.calls.at(-1)?.path, /replies\/by-key\/k1$/)

    t.equal(client.retry('k1').state.is, again, 'a person decides')
    await flush()
    t.match(shown.last, { is: 'sent' })
    t.equal(world.posted.length, 1)
  })
}

t.test('a clock that was set back makes nothing young', async t => {
  const { world } = openWorld(t)
  let nowMs = Date.now()
  world.weather = once(lostBefore)
  const first = world.open({ now: () => nowMs })
  first.send(THREAD, text('Hello!'), { key: 'k1' })
  await flush()
  first.close()
  nowMs -= 30 * HOUR_MS
  world.open({ now: () => nowMs })
  await flush()
  t.equal(world.posts.length, 1)
  t.match(world.calls.at(-1)?.path, /by-key/)
})

t.test('a clock that is set back neither hurries nor holds up what waits', async t => {
  const { pass, world } = openWorld(t)
  let backMs = 0
  world.weather = call =>
    isPost(call) ? refusal(503, 'draining', { retryable: true, retryAfterMs: 10_000 }) : undefined
  const client = world.open({ now: () => Date.now() - backMs })
  client.send(THREAD, text('Hello!'), { key: 'k1' })
  await flush()
  backMs = 5 * HOUR_MS
  client.resume()
  await pass(60_000, 60)
  const { length } = world.posts
  t.ok(length >= 3 && length <= 8, `${length} tries in a minute`)
  world.weather = () => undefined
  await pass(12_000)
  t.equal(world.posted.length, 1)
})

for (const [more, states] of [
  [{ delivery: 'not-sent', retryable: true }, ['waiting', 'sent']],
  [{ delivery: 'not-sent', retryable: false }, ['failed', 'failed']],
  [{ delivery: 'unknown', retryable: true }, ['unconfirmed', 'sent']],
  [{ delivery: 'sent', retryable: false, messageId: '77' }, ['sent', 'sent']],
  [{ delivery: 'perhaps', retryable: true }, ['unconfirmed', 'sent']]
] as const) {
  t.test(`a refusal of tomorrow is judged by what it says of itself: ${JSON.stringify(more)}`, async t => {
    const { pass, client, shown } = openApp(
      t,
      once(() => refusal(418, 'of-tomorrow', more))
    )
    client.send(THREAD, text('Hello!'))
    await flush()
    const [first] = shown.states
    await pass(1000)
    t.same([first, ...shown.states], states)
  })
}

t.test('what never comes to the service ends as failed, with the cause', async t => {
  const { pass, world, client, shown } = openApp(t, call =>
    call.path === '/me' ? undefined : { status: 503, text: '<html>Down for maintenance</html>' }
  )
  client.send(THREAD, text('Hello!'))
  await flush()
  t.match(shown.last, { is: 'unconfirmed', code: 'not-ours' })
  await pass(24 * HOUR_MS, 600)
  t.match(shown.last, { is: 'failed', problem: { code: 'not-ours', status: 503 }, mayExist: true, canEdit: false })
  const { length } = world.calls
  t.ok(length < 5000, `${length} calls in a day`)
  await pass(HOUR_MS)
  t.equal(world.calls.length, length, 'and nothing goes on')
})

t.test('a refusal before the key is looked at does not make an unconfirmed reply lost', async t => {
  const { pass, world, client, shown } = openApp(
    t,
    once(lostAfter, () => refusal(403, 'forbidden'))
  )
  client.send(THREAD, text('Hello!'))
  await pass(1000)
  t.match(shown.last, { is: 'sent' }, 'it was looked up')
  t.equal(world.posts.length, 2)
})

t.test('a first try takes keepalive as long as all of them are below 60 kB', async t => {
  const { pass, world } = openWorld(t)
  world.weather = call => (isPost(call) ? new Promise(() => undefined) : undefined)
  const client = world.open()
  await flush()
  for (const [thread, length] of [
    ['1', 40_000],
    ['2', 30_000],
    ['3', 9000]
  ] as const) {
    client.send(thread, text('ä'.repeat(length / 2)))
  }
  await flush()
  t.same(
    world.posts.map(({ init }) => init.keepalive),
    [true, false, true]
  )
  await pass(10)
})

t.test('what the device cannot keep is not sent, and says so', async t => {
  const { world } = openWorld(t)
  const client = world.open({
    storage: {
      ...world.storage,
      setItem: name => (name.endsWith('k1') ? Promise.reject(new Error('full')) : undefined)
    }
  })
  const shown = follow(client)
  client.send(THREAD, text('Hello!'), { key: 'k1' })
  await flush()
  t.match(shown.last, { is: 'failed', problem: { code: 'not-stored' }, mayExist: false })
  t.equal(world.posts.length, 0)
})

t.test('what can be no body and no key is refused at once', async t => {
  const { client } = openApp(t)
  t.throws(() => client.send(THREAD, { data: { big: 1n } }), TypeError)
  for (const key of ['', ' ', '"quoted"', 'ä', '..', 'a/b']) {
    t.throws(() => client.send(THREAD, text('x'), { key }), /key/, key)
  }
  t.throws(() => client.retry('nobody'), /no reply with the key nobody/)
  t.equal(client.discard('nobody'), false)
})

t.test(
  'a client without an address or a credential is refused at once; a slash at the end of the address is none',
  async t => {
    const { world } = openWorld(t)
    t.throws(() => world.open({ url: undefined as unknown as string }), /^url: /)
    t.throws(() => world.open({ auth: undefined as unknown as { cookie: 'include' } }), /^auth: /)
    t.throws(() => world.open({ auth: {} as unknown as { cookie: 'include' } }), /^auth: /)
    const client = world.open({ url: `${world.url}/` })
    const shown = follow(client)
    client.send(THREAD, text('Hello!'))
    await flush()
    t.same(shown.states, ['sent'])
    t.ok(world.calls.every(({ path }) => !path.startsWith('//')))
  }
)

t.test('a listener that throws keeps nobody else from anything', async t => {
  const { pass, world } = openWorld(t)
  const client = world.open()
  let isFirst = true
  client.subscribe(THREAD, replies => {
    if (replies.length === 0 || !isFirst) return
    isFirst = false
    throw new Error('of the app')
  })
  client.send(THREAD, text('Hello!'))
  await t.rejects(pass(10), /of the app/, 'as an error of the engine')
  await flush()
  t.equal(world.posted.length, 1)
})
