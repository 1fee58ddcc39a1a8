// Answers that belong to somebody else, lead somewhere else, or are built to break whoever reads them.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Fault } from '../../../emulator/faults.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

t.setTimeout(240_000)
const { emulator, env, groupParentId: parentId } = await startEmulator(t)
const service = await hostService(t, { ...env, REPLY_DEADLINE_MS: '5000' })

const reply = (as: string, words: string, to: object = { receiver: 'team', receiverType: 'group' }) =>
  postReply(service, { as, parentId, body: { data: { text: words }, ...to } })
const alarms = () => service.logLines().filter(line => line['alarm'] === 'upstream-mismatch').length

const foreign: [what: string, fault: Fault][] = [
  ['another user', { kind: 'foreign-answer', of: 'other-user' }],
  ['another reply of the same user', { kind: 'foreign-answer', of: 'previous' }],
  ['another thread', { kind: 'break-schema', set: { parentId: '999' } }],
  [
    'a thread whose number is this one but for its last digit',
    { kind: 'break-schema', set: { parentId: Number(parentId) + 1 } }
  ],
  ['another user, without saying which thread', { kind: 'break-schema', set: { sender: 'bob' }, remove: ['parentId'] }],
  ['another thread, without saying whose', { kind: 'break-schema', set: { parentId: '999' }, remove: ['sender'] }],
  ['the same user and thread under another marker', { kind: 'break-schema', mutate: withMarker('somebody-elses') }],
  ['the same user and thread under a marker that is none', { kind: 'break-schema', mutate: withMarker(null) }]
]

for (const [what, fault] of foreign) {
  t.test(`an answer of ${what} is not taken for an answer, and somebody is told`, async t => {
    await reply('alice', 'the reply before')
    const [posts, alarmsBefore] = [emulator.ledger.length, alarms()]
    emulator.failNext(fault, { method: 'POST' })

    const answer = await reply('alice', 'mine')

    expectProblem(t, answer, 'upstream-mismatch', { without: ['somebody', 'the reply before'] })
    t.equal(emulator.ledger.length, posts + 1)
    await service.lineWhere(() => alarms() === alarmsBefore + 1)
    t.equal((await reply('alice', 'the reply after')).status, 201)
  })
}

for (const when of ['same-write', 'idle', 'next-request'] as const) {
  for (const to of [{ receiver: 'team', receiverType: 'group' }, {}]) {
    const next = 'receiver' in to ? 'posts' : 'reads the thread'
    t.test(`an extra answer (${when}) on a connection never reaches the user who ${next} next`, async t => {
      await reply('alice', 'of alice')
      const parent = emulator.addMessage({ sender: 'carol', receiver: 'team', receiverType: 'group' })
      emulator.failNext({ kind: 'extra-answer', when }, { method: 'POST' })
      await reply('alice', 'of alice')
      const posts = emulator.ledger.length

      const answers = []
      for (const as of ['bob', 'carol', 'bob', 'carol']) {
        const body = { data: { text: `of ${as}` }, ...to }
        answers.push({ as, answer: await postReply(service, { as, parentId: parent.id, body }) })
      }

      for (const { as, answer } of answers) {
        const isOwn =
          answer.status === 201 && answer.json.data.sender === as && answer.json.data.data.text === `of ${as}`
        t.ok(isOwn || answer.json.code === 'upstream-mismatch', `${as}: their own reply, or none`)
        t.notMatch(answer.text, as === 'bob' ? /of (alice|carol)/ : /of (alice|bob)/)
      }
      const refused = answers.filter(({ answer }) => answer.status !== 201)
      t.ok(refused.length <= 1, 'one stray answer costs at most one reply')
      const known = answers.filter(({ answer }) => answer.json.delivery !== 'not-sent').length
      t.equal(emulator.ledger.length, posts + known, 'each posted once')
    })
  }
}

t.test('a redirect is followed nowhere', async t => {
  let connections = 0
  const elsewhere = createServer((_request, response) => response.end('{}')).on('connection', () => connections++)
  await new Promise<void>(resolve => elsewhere.listen(0, '127.0.0.1', resolve))
  t.teardown(() => elsewhere.close())
  const { port } = elsewhere.address() as AddressInfo
  const locations = [`http://127.0.0.1:${port}/v3/messages/${parentId}/thread`, `//127.0.0.1:${port}/`]

  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of locations) {
      const requests = emulator.requests.length
      emulator.failNext({ kind: 'redirect', status, location }, { method: 'POST' })

      const answer = await reply('alice', 'hello')

      expectProblem(t, answer, 'upstream-invalid', { without: [String(port)] })
      t.equal(emulator.requests.length, requests + 1)
    }
    const fresh = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
    emulator.failNext({ kind: 'redirect', status, location: `http://127.0.0.1:${port}/` }, { method: 'GET' })

    const answer = await postReply(service, { parentId: fresh.id })

    expectProblem(t, answer, 'upstream-invalid', { delivery: 'not-sent' })
  }
  t.equal(connections, 0)
})

t.test('an answer nested too deep to be written again is told as what it is: a posted reply', async t => {
  const depth = 60_000
  const message = { sender: 'alice', receiver: 'team', receiverType: 'group', category: 'message', type: 'text' }
  const text = JSON.stringify({ data: { id: '4711', parentId, ...message, data: {}, sentAt: 1, deep: 'DEEP' } })
  const body = text.replace('"DEEP"', '['.repeat(depth) + ']'.repeat(depth))
  emulator.failNext({ kind: 'answer', status: 200, body, commit: true }, { method: 'POST' })

  const answer = await reply('alice', 'mine')

  expectProblem(t, answer, 'upstream-contract')
  t.equal(answer.json.messageId, '4711')
})

t.test('a parent that is described in another way than asked for sends nothing', async t => {
  for (const fault of [
    { kind: 'break-schema', set: { id: '999' } },
    { kind: 'break-schema', remove: ['id'] },
    { kind: 'break-schema', remove: ['receiver'] },
    { kind: 'break-schema', set: { receiverType: 'everybody' } },
    { kind: 'error-in-200' },
    { kind: 'gzip' },
    { kind: 'giant-body' },
    { kind: 'half-body' }
  ] satisfies Fault[]) {
    const { id } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
    emulator.failNext(fault, { method: 'GET', path: new RegExp(`/${id}$`), times: 3 })

    const answer = await postReply(service, { parentId: id })

    t.match(answer.json, { status: 502, delivery: 'not-sent', retryable: true }, JSON.stringify(fault))
    t.notOk(emulator.ledger.find(post => post.parentId === id))
    emulator.clear()
  }
})

/** Overwrites the marker that the reply was sent with. */
function withMarker(marker: unknown) {
  return (message: { [name: string]: unknown }) => {
    const data = message['data'] as object
    return { ...message, data: { ...data, metadata: { bffDelivery: marker } } }
  }
}
