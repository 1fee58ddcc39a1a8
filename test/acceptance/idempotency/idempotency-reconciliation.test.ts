// A reply of which nobody heard: the next request with its key looks into the thread before anything is sent again.
import t from 'tap'
import type { Fault } from '../../../emulator/faults.ts'
import { isReplayed, startKeyedReplies, withText } from '../../helpers/keyed-replies.ts'
import { expectProblem, type ProblemCode } from '../../helpers/problem.ts'
import { postReply } from '../../helpers/thread.ts'

t.setTimeout(240_000)
const QUIET_MS = 1200
const replies = await startKeyedReplies(t, { QUIET_PERIOD_MS: `${QUIET_MS}`, REPLY_DEADLINE_MS: '2500' })
const { emulator, send, sendUntilKnown, newKey, posts, service } = replies

type Row = readonly [what: string, fault: Fault, code: ProblemCode]

const garbage = '\u0000\u0001 this is not HTTP\r\n\r\n'
const LANDED: readonly Row[] = [
  ['posts and resets', { kind: 'reset', commit: true }, 'upstream-reset'],
  ['posts and closes', { kind: 'close', commit: true }, 'upstream-reset'],
  ['posts and says 500', { kind: 'server-error', commit: true }, 'upstream-error'],
  [
    'posts behind a 504 of a gateway',
    { kind: 'server-error', status: 504, format: 'html', commit: true },
    'upstream-error'
  ],
  ['posts and sends half a body', { kind: 'half-body' }, 'upstream-reset'],
  ['posts and sends half a chunked body', { kind: 'truncated-chunked' }, 'upstream-reset'],
  ['posts and sends half a body that nobody counts', { kind: 'close-delimited-half' }, 'upstream-invalid'],
  ['posts and sends garbage', { kind: 'raw', bytes: garbage, commit: true }, 'upstream-invalid'],
  ['posts and sends too much', { kind: 'giant-body', bytes: 9_000_000 }, 'upstream-invalid'],
  ['posts and zips its answer', { kind: 'gzip' }, 'upstream-invalid'],
  ['posts and sends an error as 200', { kind: 'error-in-200' }, 'upstream-invalid'],
  [
    'posts and sends us elsewhere',
    { kind: 'redirect', location: 'https://example.com/', commit: true },
    'upstream-invalid'
  ],
  ['posts and says nothing', { kind: 'stall', commit: true }, 'deadline-exceeded'],
  ['posts and stops in the middle', { kind: 'stall-in-body' }, 'deadline-exceeded'],
  ['posts and answers another request', { kind: 'foreign-answer', of: 'other-user' }, 'upstream-mismatch']
]

for (const [what, fault, code] of LANDED) {
  t.test(`CometChat ${what}: the same key finds the reply, and it stays the only one`, async t => {
    const key = newKey()
    emulator.failNext(fault, { method: 'POST' })
    const first = await send(key, withText(what))
    const second = await send(key, withText(what))
    const third = await send(key, withText(what))

    expectProblem(t, first, code, { hasKey: true, delivery: 'unknown' })
    t.same([second.status, isReplayed(second)], [201, true])
    t.equal(second.json.data.id, posts(what)[0]?.id)
    t.match(second.json.data, { sender: 'alice', data: { text: what } })
    t.equal(third.text, second.text)
    t.equal(posts(what).length, 1)
  })
}

const LOST: readonly Row[] = [
  ['resets', { kind: 'reset' }, 'upstream-reset'],
  ['closes before it reads', { kind: 'close-before-reading' }, 'upstream-reset'],
  ['says 500', { kind: 'server-error' }, 'upstream-error'],
  ['says 502 by a gateway', { kind: 'server-error', status: 502, format: 'html' }, 'upstream-error'],
  ['says nothing', { kind: 'stall' }, 'deadline-exceeded']
]

for (const [what, fault, code] of LOST) {
  t.test(`CometChat ${what} and posts nothing: the reply is sent anew after the quiet period, once`, async t => {
    const key = newKey()
    emulator.failNext(fault, { method: 'POST' })
    const first = await send(key, withText(what))
    const early = await send(key, withText(what))
    const postsBefore = posts(what).length
    const final = await sendUntilKnown(key, withText(what))
    const again = await send(key, withText(what))

    expectProblem(t, first, code, { hasKey: true, delivery: 'unknown' })
    expectProblem(t, early, 'idempotency-in-flight', { hasKey: true })
    t.ok(
      early.json.retryAfterMs > 0 && early.json.retryAfterMs <= QUIET_MS,
      `come back in ${early.json.retryAfterMs} ms`
    )
    t.match(early.headers.get('retry-after'), /^[12]$/)
    t.equal(postsBefore, 0)
    t.same([final.status, isReplayed(final)], [201, false])
    t.equal(again.text, final.text)
    t.equal(posts(what).length, 1)
  })
}

t.test('a reply that is posted during the quiet period is found, not sent again', async t => {
  const key = newKey()
  emulator.failNext({ kind: 'late-commit', afterMs: QUIET_MS - 300 }, { method: 'POST' })
  const first = await send(key, withText('late'))
  const early = await send(key, withText('late'))
  const final = await sendUntilKnown(key, withText('late'))

  t.same([first.status, early.status, final.status, isReplayed(final)], [502, 409, 201, true])
  t.equal(posts('late').length, 1)
})

t.test('many clients that ask for one lost reply after the quiet period get one reply', async t => {
  const key = newKey()
  emulator.failNext({ kind: 'reset' }, { method: 'POST' })
  await send(key, withText('asked by many'))
  const answers = await Promise.all(Array.from({ length: 20 }, () => sendUntilKnown(key, withText('asked by many'))))

  t.same([...new Set(answers.map(({ status }) => status))], [201])
  t.equal(new Set(answers.map(({ json }) => json.data.id)).size, 1)
  t.equal(posts('asked by many').length, 1)
})

t.test('while the thread cannot be read the reply stays unknown, and is never sent again', async t => {
  for (const fault of ['server-error', 'stall', 'key-revoked', 'gzip', 'close-delimited-half'] as const) {
    const key = newKey()
    const text = `unreadable: ${fault}`
    emulator.failNext({ kind: 'reset', commit: true }, { method: 'POST' })
    await send(key, withText(text))
    emulator.failNext({ kind: fault }, { method: 'GET' })
    expectProblem(t, await send(key, withText(text)), 'idempotency-in-flight', { hasKey: true })
    const final = await sendUntilKnown(key, withText(text))

    t.same([final.status, isReplayed(final)], [201, true])
    t.equal(posts(text).length, 1)
  }
})

t.test('a retry before its time reads nothing', async t => {
  const key = newKey()
  emulator.failNext({ kind: 'reset' }, { method: 'POST' })
  await send(key, withText('too early'))
  const look = await send(key, withText('too early'))
  const before = emulator.requests.length
  const early = await Promise.all(Array.from({ length: 10 }, () => send(key, withText('too early'))))

  t.same([look.status, ...new Set(early.map(({ status }) => status))], [409, 409])
  t.equal(emulator.requests.length, before)
})

t.test('a reply that was posted and described wrongly is told so again, with its id, and never sent again', async t => {
  for (const fault of [{ kind: 'break-schema', remove: ['id'] }, { kind: 'key-in-answer' }] as const) {
    const key = newKey()
    emulator.failNext(fault, { method: 'POST' })
    const answers = [await send(key, withText(fault.kind)), await send(key, withText(fault.kind))]

    for (const answer of answers) {
      expectProblem(t, answer, 'upstream-contract', { hasKey: true, without: [emulator.apiKey] })
      t.equal(answer.json.messageId, fault.kind === 'key-in-answer' ? posts(fault.kind)[0]?.id : undefined)
    }
    t.equal(posts(fault.kind).length, 1)
  }
})

t.test('a reply without a key is looked for by nobody: it is told as unknown, and not to be resent', async t => {
  emulator.failNext({ kind: 'reset', commit: true }, { method: 'POST' })
  const answer = await postReply(service, { parentId: replies.parentId, ...withText('no key') })

  expectProblem(t, answer, 'upstream-reset')
  t.equal(answer.json.retryable, false)
  t.equal(posts('no key').length, 1)
})

t.test('a lost reply is found among long ones, whose page is larger than any single answer', async t => {
  const { id } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  const long = { sender: 'bob', receiver: 'alice', receiverType: 'user', parentId: id, text: 'x'.repeat(3000) } as const
  for (let replies = 0; replies < 100; replies++) emulator.addMessage(long)
  const key = newKey()
  emulator.failNext({ kind: 'reset', commit: true }, { method: 'POST' })
  await send(key, { parentId: id, ...withText('among long ones') })
  const again = await send(key, { parentId: id, ...withText('among long ones') })

  t.equal(again.status, 201)
  t.equal(again.json.data.id, posts('among long ones')[0]?.id)
  t.equal(posts('among long ones').length, 1)
})
