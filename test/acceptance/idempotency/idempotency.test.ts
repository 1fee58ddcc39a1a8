// One key, one reply: what a client is promised that sends the same request again.
import t from 'tap'
import { isReplayed, startKeyedReplies, withText } from '../../helpers/keyed-replies.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply } from '../../helpers/thread.ts'
import { until } from '../../helpers/until.ts'

const { emulator, send, newKey, posts, parentId, groupParentId, service } = await startKeyedReplies(t)

t.test('a second request with the same key gets the first answer, byte for byte, and posts nothing', async t => {
  const key = newKey()
  const first = await send(key, withText('once'))
  const second = await send(key, withText('once'))

  t.equal(first.status, 201)
  t.notOk(isReplayed(first))
  t.equal(second.status, 201)
  t.ok(isReplayed(second), 'Idempotent-Replayed: true')
  t.equal(second.text, first.text)
  t.equal(posts('once').length, 1)
  t.equal(posts('once')[0]?.id, first.json.data.id)
})

t.test('a key in quotes and the same key bare are one key', async t => {
  const key = newKey()
  const bare = await send(key, withText('two spellings'))
  const quoted = await send(`"${key}"`, withText('two spellings'))

  t.equal(bare.status, 201)
  t.ok(isReplayed(quoted))
  t.equal(quoted.text, bare.text)
  t.equal(posts('two spellings').length, 1)
})

t.test('a key that is sent with another body is refused, and the body is not posted', async t => {
  const key = newKey()
  await send(key, withText('the first body'))

  for (const [what, body] of [
    ['another text', { data: { text: 'the second body' } }],
    ['one more member', { data: { text: 'the first body', metadata: { more: true } } }],
    ['one more tag', { data: { text: 'the first body' }, tags: ['more'] }],
    ['a muid', { data: { text: 'the first body' }, muid: '1764' }],
    ['a quoted message', { data: { text: 'the first body' }, quotedMessageId: 99 }],
    ['a receiver', { data: { text: 'the first body' }, receiver: 'bob', receiverType: 'user' }]
  ] as const) {
    const answer = await send(key, { body })
    t.comment(what)
    expectProblem(t, answer, 'idempotency-key-reused', { hasKey: true, without: ['second body'] })
  }
  t.equal(posts('the first body').length, 1)
  t.equal(posts('the second body').length, 0)
})

t.test('the order of members, the spelling of JSON and a default that is spelled out make no other body', async t => {
  const key = newKey()
  const first = await send(key, { body: '{"data":{"text":"same é","metadata":{"a":1,"b":[1,2]}},"tags":["x"]}' })
  for (const body of [
    '{"tags":["x"],"data":{"metadata":{"b":[1,2],"a":1},"text":"same é"}}',
    '{ "data" : {"text": "same \\u00e9", "metadata": {"a":1.0,"b":[1e0,2]}}, "tags":["x"] }',
    '{"category":"message","type":"text","data":{"text":"same é","metadata":{"a":1,"b":[1,2]}},"tags":["x"]}'
  ]) {
    const again = await send(key, { body })
    t.ok(isReplayed(again), body)
    t.equal(again.text, first.text)
  }
  t.equal(posts('same é').length, 1)
})

t.test('the order of a list does make another body', async t => {
  const key = newKey()
  await send(key, { body: { data: { text: 'a list' }, tags: ['x', 'y'] } })
  const answer = await send(key, { body: { data: { text: 'a list' }, tags: ['y', 'x'] } })

  expectProblem(t, answer, 'idempotency-key-reused', { hasKey: true })
})

t.test('while the first request is under way, a second one is asked to come back', async t => {
  const key = newKey()
  emulator.failNext({ kind: 'delay', delayMs: 500 }, { method: 'POST' })
  const first = send(key, withText('slow'))
  await until(() => posts('slow').length === 1)
  const second = await send(key, withText('slow'))
  const [done, third] = [await first, await send(key, withText('slow'))]

  expectProblem(t, second, 'idempotency-in-flight', { hasKey: true })
  t.equal(second.headers.get('retry-after'), '1')
  t.equal(done.status, 201)
  t.equal(third.text, done.text)
  t.equal(posts('slow').length, 1)
})

t.test('fifty requests with one key at once post one reply', async t => {
  const key = newKey()
  const answers = await Promise.all(Array.from({ length: 50 }, () => send(key, withText('a burst'))))

  t.equal(posts('a burst').length, 1)
  const ids = answers.filter(({ status }) => status === 201).map(({ json }) => json.data.id)
  t.same([...new Set(ids)], [posts('a burst')[0]?.id])
  t.same([...new Set(answers.map(({ status }) => status))].sort(), [201, 409])
})

t.test('another body is refused while the first is still under way', async t => {
  const key = newKey()
  emulator.failNext({ kind: 'delay', delayMs: 300 }, { method: 'POST' })
  const first = send(key, withText('under way'))
  await until(() => posts('under way').length === 1)
  const second = await send(key, withText('meanwhile'))

  expectProblem(t, second, 'idempotency-key-reused', { hasKey: true })
  t.equal((await first).status, 201)
  t.equal(posts('meanwhile').length, 0)
})

t.test('two users with one key post two replies, and neither sees the other', async t => {
  const key = newKey()
  const alice = await send(key, withText('by alice'))
  const bob = await send(key, { as: 'bob', ...withText('by bob') })
  const sameBody = await send(key, { as: 'bob', ...withText('by bob') })

  t.equal(alice.status, 201)
  t.equal(bob.status, 201)
  t.notOk(isReplayed(bob))
  t.equal(bob.json.data.sender, 'bob')
  t.ok(isReplayed(sameBody))
  t.equal(sameBody.text, bob.text)
  t.equal(posts('by alice').length + posts('by bob').length, 2)
})

t.test("somebody else's key behaves exactly as a new one, whatever became of theirs", async t => {
  const done = newKey()
  await send(done, withText('foreign'))
  const refused = newKey()
  emulator.failNext({ kind: 'error', status: 403, code: 'ERR_BLOCKED_BY_EXTENSION' }, { method: 'POST' })
  await send(refused, withText('foreign'))
  const unknown = newKey()
  emulator.failNext({ kind: 'reset' }, { method: 'POST' })
  await send(unknown, withText('foreign'))
  const underWay = newKey()
  emulator.failNext({ kind: 'delay', delayMs: 800 }, { method: 'POST' })
  const waiting = send(underWay, withText('foreign'))
  await until(() => posts('foreign').length === 2)

  const shapes: unknown[] = []
  for (const key of [newKey(), done, refused, unknown, underWay]) {
    const { status, headers, json } = await send(key, { as: 'bob', ...withText('foreign too') })
    shapes.push([status, [...headers.keys()].sort(), Object.keys(json), Object.keys(json.data).sort()])
  }
  await waiting
  for (const shape of shapes) t.same(shape, shapes[0])
  t.equal(posts('foreign too').length, 5)
})

t.test('the same key on another thread is another request', async t => {
  const key = newKey()
  const here = await send(key, { parentId, ...withText('here and there') })
  const there = await send(key, { parentId: groupParentId, ...withText('here and there') })

  t.same([here.status, there.status, isReplayed(there)], [201, 201, false])
  t.equal(posts('here and there').length, 2)
})

t.test('requests without a key are never taken for one another', async t => {
  const replies = [1, 2, 3].map(() => postReply(service, { parentId, ...withText('without a key') }))
  const answers = await Promise.all(replies)

  t.same(
    answers.map(answer => [answer.status, isReplayed(answer)]),
    [
      [201, false],
      [201, false],
      [201, false]
    ]
  )
  t.equal(posts('without a key').length, 3)
})
