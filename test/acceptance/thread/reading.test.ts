// What a caller reads of a thread: its replies page by page, and the message that it hangs on.
import t from 'tap'
import type { Switches } from '../../../emulator/switches.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { askThread } from '../../helpers/thread-reader.ts'

const { emulator, env, parentId, groupParentId } = await startEmulator(t)
const service = await hostService(t, env)
const list = (query = '', as = 'alice', parent = parentId) => askThread(service, `${parent}/replies${query}`, { as })

interface Message {
  readonly id: string
  readonly data?: { readonly text?: string }
}

const textsOf = (messages: readonly Message[]): (string | undefined)[] => messages.map(({ data }) => data?.text)

/** A thread with so many replies. */
function threadOf(count: number): string {
  const { id } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  for (let index = 0; index < count; index++) {
    const sender = index % 2 === 0 ? 'alice' : 'bob'
    const receiver = index % 2 === 0 ? 'bob' : 'alice'
    emulator.addMessage({ sender, receiver, receiverType: 'user', parentId: id, text: `${index}` })
  }
  return id
}

t.test('a thread without replies is an empty page', async t => {
  const { status, headers, json } = await list()
  t.equal(status, 200)
  t.match(headers.get('content-type'), /^application\/json/)
  t.equal(headers.get('cache-control'), 'no-store')
  t.same(json, { data: [], page: {} })
})

t.test('a page is the newest replies, oldest first, without the mark', async t => {
  const parent = threadOf(40)
  const posted = await postReply(service, { parentId: parent, body: { data: { text: 'last', metadata: { own: 1 } } } })
  emulator.clear()
  const { json, text } = await list('?limit=3', 'alice', parent)
  t.same(textsOf(json.data), ['38', '39', 'last'])
  t.equal(json.data[2].id, posted.json.data.id)
  t.same(json.data[2].data.metadata, { own: 1 })
  t.notMatch(text, 'bffDelivery')
  const older = await list(`?limit=3&cursor=${json.page.older}`, 'alice', parent)
  t.same(textsOf(older.json.data), ['35', '36', '37'])
  t.same(
    (await list(`?cursor=${older.json.page.newer}`, 'alice', parent)).json.data.map(({ id }: Message) => id),
    [...json.data.map(({ id }: Message) => id)]
  )
  t.equal((await list('', 'alice', parent)).json.data.length, 30, 'by default 30')
})

t.test('a mark is nowhere, not even in a message that is quoted', async t => {
  const parent = threadOf(0)
  const first = await postReply(service, { parentId: parent, body: { data: { text: 'first' } } })
  await postReply(service, {
    parentId: parent,
    body: { data: { text: 'second' }, quotedMessageId: first.json.data.id }
  })
  const { json, text } = await list('', 'alice', parent)
  t.equal(json.data[1].quotedMessage.data.text, 'first')
  t.notMatch(text, 'bffDelivery')
})

t.test('a deleted reply is a tombstone, however much CometChat keeps of it', async t => {
  for (const tombstones of ['bare', 'whole'] as const) {
    emulator.switches.tombstones = tombstones
    const parent = threadOf(2)
    const { id } = (await list('', 'alice', parent)).json.data[0]
    emulator.deleteMessage(id)
    const [tombstone, other] = (await list('', 'alice', parent)).json.data
    t.match(tombstone, { id, deletedAt: Number, deletedBy: 'alice' }, tombstones)
    t.notOk('data' in tombstone)
    t.equal(other.data.text, '1')
  }
  emulator.switches.tombstones = 'bare'
})

t.test('so is one that is quoted, and its reply is whole', async t => {
  const quotedMessage = { id: '7', sender: 'bob', deletedAt: 1_700_000_000, data: { text: 'taken back' } }
  const reply = { id: '9', sender: 'bob', parentId, data: { text: 'as you said' }, quotedMessage }
  emulator.failNext({ kind: 'answer', status: 200, body: JSON.stringify({ data: [reply] }) })
  const { json } = await list()
  const { data: _, ...left } = quotedMessage
  t.same(json.data, [{ ...reply, quotedMessage: left }])
})

t.test('a thread of 1,000 replies is paged without a gap or a repeat, whatever CometChat pages by', async t => {
  const ways: Partial<Switches>[] = [
    { threadPaging: 'page-and-cursor', threadOrder: 'oldest-first' },
    { threadPaging: 'page', threadOrder: 'oldest-first' },
    { threadPaging: 'page', threadOrder: 'newest-first' },
    { threadPaging: 'cursor', threadOrder: 'newest-first', threadCursor: 'inclusive' }
  ]
  const parent = threadOf(1000)
  for (const way of ways) {
    Object.assign(emulator.switches, way)
    const fresh = way.threadPaging === 'page-and-cursor' ? service : await hostService(t, env)
    const shown: string[] = []
    let most = 0
    for (let query = '?limit=100'; query !== ''; ) {
      emulator.clear()
      const { status, json } = await askThread(fresh, `${parent}/replies${query}`)
      t.equal(status, 200)
      shown.unshift(...textsOf(json.data).map(String))
      most = Math.max(most, emulator.requests.length)
      query = json.page.older === undefined ? '' : `?limit=100&cursor=${json.page.older}`
    }
    t.same(
      shown,
      Array.from({ length: 1000 }, (_, index) => `${index}`),
      JSON.stringify(way)
    )
    t.ok(most <= 3, `${most} reads a page`)
  }
  Object.assign(emulator.switches, {
    threadPaging: 'page-and-cursor',
    threadOrder: 'oldest-first',
    threadCursor: 'exclusive'
  })
})

t.test('the thread itself says how many replies it has', async t => {
  const parent = threadOf(2)
  t.match((await askThread(service, parent)).json, { data: { id: parent, sender: 'bob', replyCount: 2 } })
  t.match((await askThread(service, threadOf(0))).json, { data: { replyCount: 0 } })
  const [reply] = (await list('', 'alice', parent)).json.data
  expectProblem(t, await askThread(service, reply.id), 'thread-not-found')
})

t.test('whoever may not see a thread gets the answer of one that does not exist', async t => {
  const answers = await Promise.all([
    list('', 'mallory'),
    list('', 'mallory', groupParentId),
    list('', 'mallory', '999999'),
    askThread(service, parentId, { as: 'mallory' }),
    askThread(service, '999999', { as: 'mallory' })
  ])
  for (const answer of answers) expectProblem(t, answer, 'thread-not-found')
  t.equal(new Set(answers.map(({ json }) => json.detail)).size, 1)
})

t.test('an answer about another thread is no answer', async t => {
  const foreign = { id: '1', sender: 'bob', parentId: '77', data: { text: 'secret' } }
  emulator.failNext({ kind: 'answer', status: 200, body: JSON.stringify({ data: [foreign] }) })
  const answer = await list()
  expectProblem(t, answer, 'upstream-mismatch', { delivery: 'not-sent', without: ['secret'] })
})

t.test('what is nested deeper than it could be written again is no answer, with a mark in it or without', async t => {
  for (const mark of ['', '"bffDelivery":"x",']) {
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const body = `{"data":[{"id":"1","sender":"bob","parentId":"${parentId}",${mark}"data":${nested}}]}`
    emulator.failNext({ kind: 'answer', status: 200, body })
    expectProblem(t, await list(), 'upstream-invalid', { delivery: 'not-sent' })
  }
})
