// Under whose name: an entry belongs to whoever the service said was signed in when it was written, and goes as nobody else.
import t from 'tap'
import { flush, follow, lostAfter, lostBefore, once, openApp, openWorld, refusal, THREAD, text } from './client-kit.ts'

t.test('the replies of one account are neither sent nor shown as those of another, and wait for their own', async t => {
  const { pass, world } = openWorld(t)
  let token = 'alice-token'
  world.weather = once(() => refusal(503, 'draining', { retryable: true, retryAfterMs: 5000 }))
  const client = world.open({ auth: { bearer: async () => token } })
  const shown = follow(client)
  client.send(THREAD, text('of Alice'))
  await flush()
  token = 'bob-token'
  client.signedIn()
  t.same(shown.replies, [], 'at once')
  await pass(20_000)
  client.send(THREAD, text('of Bob'))
  await flush()
  t.match(world.posted, [{ text: 'of Bob', as: 'bob' }])
  t.same(shown.states, ['sent'])

  token = 'alice-token'
  client.signedIn()
  await pass(10_000)
  t.match(world.posted, [{ as: 'bob' }, { text: 'of Alice', as: 'alice' }])
  t.match(shown.replies, [{ body: text('of Alice'), state: { is: 'sent' } }])
})

t.test('a token of somebody else, whom nobody told of, sends nothing of this account', async t => {
  const { pass, world } = openWorld(t)
  let token = 'alice-token'
  const client = world.open({ auth: { bearer: async () => token } })
  await flush()
  token = 'bob-token'
  client.send(THREAD, text('of Alice'))
  await pass(5000)
  t.same(world.posts, [])
  t.same(follow(client).replies, [], 'they are not shown to Bob')
})

t.test('a cookie of somebody else is refused by the service, and the entry waits', async t => {
  const { pass, world, client, shown } = openApp(t, undefined, { auth: { cookie: 'same-origin' } })
  client.send(THREAD, text('of Alice'), { key: 'k1' })
  await flush()
  t.match(world.posts, [
    { init: { credentials: 'same-origin' }, headers: { 'x-csrf': '1', 'x-signed-in-as': 'alice' } }
  ])
  world.users.set('cookie', 'bob')
  client.send(THREAD, text('also of Alice'), { key: 'k2' })
  await pass(5000)
  t.match(world.posted, [{ text: 'of Alice', as: 'alice' }])
  t.same(shown.replies, [], 'it is Bob who looks now')
  world.users.set('cookie', 'alice')
  client.signedIn()
  await pass(5000)
  t.match(world.posted, [{ as: 'alice' }, { text: 'also of Alice', as: 'alice' }])
})

t.test('a 401 renews the credential once, and then everything waits for a sign-in', async t => {
  const { pass, world } = openWorld(t)
  const refused: (string | undefined)[] = []
  let current = 'old'
  world.users.set('old', 'alice')
  const client = world.open({
    auth: {
      bearer: async before => {
        refused.push(before)
        if (before === 'old') current = 'alice-token'
        return current
      }
    }
  })
  const shown = follow(client)
  await flush()
  world.users.delete('old')
  client.send(THREAD, text('one'))
  await flush()
  t.same(shown.states, ['sent'])
  t.same(refused.filter(Boolean), ['old'])

  world.users.delete('alice-token')
  client.send(THREAD, text('two'))
  await pass(60_000)
  t.match(shown.last, { is: 'signed-out' })
  const { length } = world.calls
  await pass(600_000)
  t.equal(world.calls.length, length, 'nothing is asked meanwhile')

  world.users.set('alice-token', 'alice')
  client.signedIn()
  await pass(1000)
  t.same(shown.states, ['sent', 'sent'])
})

t.test('a token that was too old before the app began is given back as refused, and renewed', async t => {
  const { world } = openWorld(t)
  let current = 'old'
  const client = world.open({
    auth: {
      bearer: async refused => {
        if (refused === current) current = 'alice-token'
        return current
      }
    }
  })
  const shown = follow(client)
  client.send(THREAD, text('one'))
  await flush()
  t.same(shown.states, ['sent'])
})

t.test('calls that need a token at the same time share one renewal', async t => {
  const { world } = openWorld(t)
  let renewals = 0
  let current = 'old'
  world.users.set('old', 'alice')
  const client = world.open({
    auth: {
      bearer: async before => {
        if (before !== undefined) {
          renewals++
          await flush()
          current = 'alice-token'
        }
        return current
      }
    }
  })
  await flush()
  world.users.delete('old')
  for (const thread of ['1', '2', '3']) client.send(thread, text(thread))
  for (let turn = 0; turn < 5; turn++) await flush()
  t.equal(renewals, 1)
  t.equal(world.posted.length, 3)
})

t.test('a watched thread is not asked for while nobody is signed in, and at once when somebody is', async t => {
  const { pass, world } = openWorld(t)
  let token = 'alice-token'
  const client = world.open({ auth: { bearer: async () => token } })
  const pages: unknown[] = []
  client.watch(THREAD, page => void pages.push(page))
  await flush()
  token = ''
  await pass(60_000)
  const { length } = world.calls
  await pass(600_000)
  t.equal(world.calls.length, length)
  world.posted.push({ key: 'of-carol', threadId: THREAD, text: 'Hi', as: 'carol', id: '5000' })
  token = 'bob-token'
  client.signedIn()
  await flush()
  t.match(pages, [{}, { messages: [{ id: '5000' }] }])
  t.match(world.calls.at(-1)?.headers, { authorization: 'Bearer bob-token' })
})

t.test('an unknown reply stays so through a 401', async t => {
  const { pass, world, client, shown } = openApp(
    t,
    once(
      lostAfter,
      () => refusal(401, 'unauthenticated'),
      () => refusal(401, 'unauthenticated')
    )
  )
  client.send(THREAD, text('Hello!'))
  await pass(1000)
  t.match(shown.last, { is: 'signed-out' })
  t.equal(client.discard(shown.replies[0]?.key ?? ''), false, 'it may be posted')
  client.signedIn()
  await pass(1000)
  t.match(shown.last, { is: 'sent' })
  t.equal(world.posted.length, 1)
})

t.test('what a first start offline wrote has no owner, and is sent when a person says so', async t => {
  const { pass, world, client, shown } = openApp(t, lostBefore)
  await flush()
  client.send(THREAD, text('Hello!'), { key: 'k1' })
  await flush()
  t.match(shown.last, { is: 'queued', because: 'no-owner' })
  world.weather = () => undefined
  client.resume()
  await pass(60_000)
  t.match(shown.last, { is: 'queued', because: 'no-owner' })
  t.same(world.posts, [])
  client.retry('k1')
  await flush()
  t.match(world.posted, [{ as: 'alice', text: 'Hello!' }])
})

for (const [token, posted, states] of [
  ['alice-token', [{ as: 'alice' }], [{ is: 'sent' }]],
  ['bob-token', [], [{ is: 'queued', because: 'no-owner' }]]
] as const) {
  t.test(`a later start offline knows whose replies they are, but not that it is still them: ${token}`, async t => {
    const { pass, world } = openWorld(t)
    const before = world.open()
    await flush()
    before.close()
    world.weather = lostBefore
    const client = world.open({ auth: { bearer: async () => token } })
    const shown = follow(client)
    await flush()
    client.send(THREAD, text('Hello!'))
    await flush()
    world.weather = () => undefined
    client.resume()
    await pass(30_000)
    t.equal(world.posted.length, posted.length)
    t.match(world.posted, posted)
    t.match([shown.last], states)
  })
}

t.test('what is written while the first question is on its way belongs to whoever it finds', async t => {
  const { world } = openWorld(t)
  const client = world.open()
  t.equal(client.send(THREAD, text('quick')).state.is, 'sending')
  await flush()
  t.match(world.posted, [{ as: 'alice' }])
})

t.test('an app without a token for now is waited for, one that has none is signed out', async t => {
  const { pass, world } = openWorld(t)
  let bearer = async (): Promise<string> => 'alice-token'
  const client = world.open({ auth: { bearer: () => bearer() } })
  const shown = follow(client)
  await flush()
  bearer = async () => {
    throw new Error('the identity provider is away')
  }
  client.send(THREAD, text('Hello!'))
  await flush()
  t.match(shown.last, { is: 'waiting', code: 'no-token' })
  bearer = async () => ''
  await pass(5000)
  t.match(shown.last, { is: 'signed-out' })
  bearer = async () => 'alice-token'
  client.signedIn()
  await pass(1000)
  t.match(shown.last, { is: 'sent' })
  t.equal(world.posts.length, 1)
})

t.test('a sign-in while the question about the one before it is under way is not mixed up with it', async t => {
  const { pass, world } = openWorld(t)
  let answer = (): void => undefined
  world.weather = (call, serve) => {
    if (call.path !== '/me' || world.calls.length > 1) return undefined
    const served = serve()
    return new Promise(resolve => {
      answer = () => resolve(served)
    })
  }
  const client = world.open({ auth: { cookie: 'include' } })
  await flush()
  client.send(THREAD, text('before'))
  world.users.set('cookie', 'bob')
  client.signedIn()
  answer()
  await pass(5000)
  client.send(THREAD, text('after'))
  await flush()
  t.match(world.posted, [{ text: 'after', as: 'bob' }])
  t.equal(world.posted.length, 1)
})
