// Threads in which others make a lost reply hard to find: they delete while it is looked for, or write at great length.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { isReplayed, startKeyedReplies, withText } from '../../helpers/keyed-replies.ts'

t.setTimeout(240_000)
const QUIET_MS = 300
const { emulator, send, newKey, posts } = await startKeyedReplies(t, {
  QUIET_PERIOD_MS: `${QUIET_MS}`,
  REPLY_DEADLINE_MS: '10000'
})
const postAndReset = { kind: 'reset', commit: true } as const
const LONG = { text: '😀'.repeat(60_000) }
/** JSON.stringify could not write it. */
const DEEP = `{"id":"7","sender":"bob","data":{"customData":${'{"a":'.repeat(5000)}12345678901234567${'}'.repeat(5000)}}}`

interface Others {
  readonly count: number
  readonly data?: object
}

/** A thread of its own, with replies of others in it. */
function addThread(...others: readonly Others[]): string {
  const { id } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  for (const more of others) addReplies(id, more)
  return id
}

function addReplies(parentId: string, { count, data = { text: 'another' } }: Others): void {
  const reply = { sender: 'bob', receiver: 'alice', receiverType: 'user', parentId, data: { ...data } } as const
  for (let added = 0; added < count; added++) emulator.addMessage(reply)
}

for (const removed of [1, 3]) {
  t.test(`a lost reply is found while ${removed} replies are deleted behind each page`, async t => {
    const thread = addThread({ count: 50 })
    const key = newKey()
    const text = `slips ${removed}`
    emulator.failNext(postAndReset, { method: 'POST' })
    const first = await send(key, { parentId: thread, ...withText(text) })
    addReplies(thread, { count: 60 })
    for (let read = 1; read <= 5; read++) {
      const ids = Array.from({ length: removed }, (_, index) => String(BigInt(thread) + BigInt(removed * read + index)))
      emulator.changeAfterRead(
        () => {
          for (const id of ids) emulator.deleteMessage(id, { permanent: true })
        },
        { parentId: thread, read }
      )
    }
    await sleep(QUIET_MS + 50)
    const second = await send(key, { parentId: thread, ...withText(text) })

    t.same([first.status, second.status, isReplayed(second)], [502, 201, true])
    t.equal(posts(text).length, 1)
  })
}

const HARD: Record<string, readonly Others[]> = {
  '49 messages of 60,000 emoji': [{ count: 49, data: LONG }],
  'long messages behind short ones': [{ count: 30 }, { count: 30, data: LONG }, { count: 30 }]
}

for (const [title, others] of Object.entries(HARD)) {
  t.test(`behind ${title} a lost reply is found, and one that was not posted is sent anew`, async t => {
    const thread = addThread(...others)
    const [posted, missing] = [newKey(), newKey()]
    emulator.failNext(postAndReset, { method: 'POST' })
    await send(posted, { parentId: thread, ...withText(`${title}: posted`) })
    emulator.failNext({ kind: 'reset' }, { method: 'POST' })
    await send(missing, { parentId: thread, ...withText(`${title}: missing`) })
    await sleep(QUIET_MS + 50)
    const found = await send(posted, { parentId: thread, ...withText(`${title}: posted`) })
    const anew = await send(missing, { parentId: thread, ...withText(`${title}: missing`) })

    t.same([found.status, isReplayed(found)], [201, true], found.text)
    t.same([anew.status, isReplayed(anew)], [201, false], anew.text)
    t.equal(posts(`${title}: posted`).length, 1)
    t.equal(posts(`${title}: missing`).length, 1)
  })
}

t.test('beside a message nested 5,000 deep, with a long integer in it, a lost reply is found', async t => {
  const thread = addThread({ count: 1 })
  const key = newKey()
  emulator.failNext(postAndReset, { method: 'POST' })
  await send(key, { parentId: thread, ...withText('beside depth') })
  const headers = { apikey: emulator.apiKey, onBehalfOf: 'alice' }
  const page = await (await fetch(`${emulator.url}/v3/messages/${thread}/thread`, { headers })).text()
  const body = page.replace('"data":[', `"data":[${DEEP},`)
  emulator.failNext(
    { kind: 'answer', status: 200, headers: { 'content-type': 'application/json' }, body },
    { method: 'GET', path: /thread\?/ }
  )
  const second = await send(key, { parentId: thread, ...withText('beside depth') })

  t.same([second.status, isReplayed(second)], [201, true], second.text)
})

t.test('a message that is too large by itself hides nothing that is beside it', async t => {
  const thread = addThread({ count: 3 }, { count: 1, data: { text: 'x'.repeat(9 * 1024 * 1024) } }, { count: 3 })
  const key = newKey()
  emulator.failNext(postAndReset, { method: 'POST' })
  await send(key, { parentId: thread, ...withText('beside') })
  const second = await send(key, { parentId: thread, ...withText('beside') })

  t.same([second.status, isReplayed(second)], [201, true], second.text)
  t.equal(posts('beside').length, 1)
})

t.test('a long message whose answer CometChat writes in escapes is answered', async t => {
  const thread = addThread()
  const text = '😀'.repeat(60_000)
  const escaped = text.replaceAll('😀', '\\ud83d\\ude00')
  emulator.failNext(
    {
      kind: 'answer',
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: `{"data":{"id":"4711","sender":"alice","receiver":"bob","receiverType":"user","category":"message","type":"text","sentAt":1,"parentId":"${thread}","data":{"text":"${escaped}"}}}`
    },
    { method: 'POST' }
  )
  const answer = await send(newKey(), { parentId: thread, ...withText(text) })

  t.equal(answer.status, 201)
  t.equal(answer.json.data?.data?.text, text)
})
