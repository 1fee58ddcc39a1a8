// The mark by which a reply is found in its thread: how far it is looked for, who may set it, and who ever sees it.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { CometChatEmulator } from '../../../emulator/handles.ts'
import { isReplayed, startKeyedReplies, withText } from '../../helpers/keyed-replies.ts'
import { expectProblem } from '../../helpers/problem.ts'

t.setTimeout(240_000)
const MARKER = 'bffDelivery'
const QUIET_MS = 300
const { emulator, service, send, newKey, posts, parentId } = await startKeyedReplies(t, {
  QUIET_PERIOD_MS: `${QUIET_MS}`,
  REPLY_DEADLINE_MS: '5000'
})
const postAndReset = { kind: 'reset', commit: true } as const

for (const order of ['oldest-first', 'newest-first'] as const) {
  t.test(`in a thread of 250 replies, ${order}, the reply is found on whatever page it is`, async t => {
    emulator.switches.threadOrder = order
    const thread = addThread(emulator, 120)
    const key = newKey()
    emulator.failNext(postAndReset, { method: 'POST' })
    const first = await send(key, { parentId: thread, ...withText(order) })
    addReplies(emulator, thread, 130)
    const second = await send(key, { parentId: thread, ...withText(order) })

    t.same([first.status, second.status, isReplayed(second)], [502, 201, true])
    t.equal(second.json.data.id, posts(order)[0]?.id)
    t.equal(posts(order).length, 1)
    emulator.switches.threadOrder = 'oldest-first'
  })
}

t.test('in a thread of 200 replies the absence of a reply is proved, and it is sent anew', async t => {
  const thread = addThread(emulator, 200)
  const key = newKey()
  emulator.failNext({ kind: 'reset' }, { method: 'POST' })
  await send(key, { parentId: thread, ...withText('absent') })
  await sleep(QUIET_MS + 50)
  const second = await send(key, { parentId: thread, ...withText('absent') })

  t.same([second.status, isReplayed(second)], [201, false])
  t.equal(posts('absent').length, 1)
})

t.test('in a thread of 2,100 replies the absence of a reply is proved at a few reads, and it is sent anew', async t => {
  const thread = addThread(emulator, 2100)
  const key = newKey()
  emulator.failNext({ kind: 'reset' }, { method: 'POST' })
  await send(key, { parentId: thread, ...withText('far away') })
  await sleep(QUIET_MS + 50)
  const before = emulator.requests.length
  const anew = await send(key, { parentId: thread, ...withText('far away') })

  t.same([anew.status, isReplayed(anew)], [201, false], anew.text)
  t.equal(posts('far away').length, 1)
  const reads = emulator.requests.slice(before).filter(({ method }) => method === 'GET')
  t.ok(reads.length <= 6, `${reads.length} reads`)
})

t.test("somebody else's copy of a mark is not taken for the reply", async t => {
  emulator.switches.threadOrder = 'newest-first'
  const key = newKey()
  emulator.failNext(postAndReset, { method: 'POST' })
  await send(key, withText('copied'))
  const { data } = posts('copied')[0]?.message ?? { data: {} }
  emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user', parentId, data, sentAtMs: Date.now() })
  const second = await send(key, withText('copied'))

  t.not(second.json?.data?.sender, 'bob')
  t.equal(posts('copied').length, 1)
  emulator.switches.threadOrder = 'oldest-first'
})

t.test('the mark is in what CometChat gets, and in nothing that a client or a log gets', async t => {
  const texts: string[] = []
  const hear = async (reply: ReturnType<typeof send>) => texts.push((await reply).text)
  for (const fault of [undefined, postAndReset, { kind: 'break-schema' as const, remove: ['category'] }]) {
    const key = newKey()
    if (fault) emulator.failNext(fault, { method: 'POST' })
    for (let times = 0; times < 3; times++) await hear(send(key, withText('marked')))
  }
  const own = await send(newKey(), { body: { data: { text: 'marked', metadata: { mine: 1 } } } })
  const replayed = await send('own-metadata', { body: { data: { text: 'marked', metadata: { mine: 1 } } } })
  emulator.failNext({ kind: 'foreign-answer' }, { method: 'POST' })
  await hear(send(newKey(), withText('marked')))

  const marks = posts('marked').map(({ message }) => Object(message.data['metadata'])[MARKER])
  t.equal(marks.length, 6)
  t.equal(new Set(marks).size, 6, 'each its own')
  for (const mark of marks) t.match(mark, /^[\w-]{22}$/)
  t.same([own.json.data.data.metadata, replayed.json.data.data.metadata], [{ mine: 1 }, { mine: 1 }])
  const told = [...texts, own.text, replayed.text, ...service.output, ...service.errors].join('\n')
  t.notOk([MARKER, ...marks].find(secret => told.includes(secret)))
})

t.test('a client cannot set the mark', async t => {
  for (const metadata of [{ [MARKER]: 'x' }, { [MARKER]: null }, { a: 1, [MARKER]: { b: 2 } }]) {
    const answer = await send(newKey(), { body: { data: { text: 'forged', metadata } } })
    expectProblem(t, answer, 'reserved-name', { hasKey: true })
    t.match(answer.json.errors, [{ pointer: `/data/metadata/${MARKER}` }])
  }
  t.equal(posts('forged').length, 0)
})

t.test('without marks a lost reply stays unknown for good, and nothing is ever sent again', async t => {
  const unmarked = await startKeyedReplies(t, { DELIVERY_MARKER: 'off', QUIET_PERIOD_MS: '100' })
  for (const fault of [{ kind: 'reset' }, postAndReset] as const) {
    const key = unmarked.newKey()
    unmarked.emulator.failNext(fault, { method: 'POST' })
    const first = await unmarked.send(key)
    // Beyond the quiet period of a whole process, whose clock nothing outside can move.
    await sleep(150)
    const later = [await unmarked.send(key), await unmarked.send(key)]

    expectProblem(t, first, 'upstream-reset', { hasKey: true })
    for (const answer of later) expectProblem(t, answer, 'idempotency-in-flight', { hasKey: true })
  }
  const answered = await unmarked.send('answered')
  const again = await unmarked.send('answered')

  t.equal(again.text, answered.text, 'what was answered is still told again')
  t.equal(unmarked.posts().length, 2)
  t.notOk(JSON.stringify(unmarked.emulator.requests).includes(MARKER))
})

function addThread({ addMessage }: CometChatEmulator, replies: number): string {
  const { id } = addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user', text: 'a long thread' })
  addReplies(emulator, id, replies)
  return id
}

function addReplies({ addMessage }: CometChatEmulator, thread: string, count: number): void {
  const reply = { sender: 'bob', receiver: 'alice', receiverType: 'user', parentId: thread } as const
  for (let number = 0; number < count; number++) addMessage({ ...reply, text: `one more, ${number}` })
}
