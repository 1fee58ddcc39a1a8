// What a key remembers of a reply that was not posted: a refusal that would come again, and nothing else.
import t from 'tap'
import type { Fault } from '../../../emulator/faults.ts'
import { isReplayed, startKeyedReplies, withText } from '../../helpers/keyed-replies.ts'
import { expectProblem, type ProblemCode } from '../../helpers/problem.ts'
import type { ReplyAttempt } from '../../helpers/thread.ts'

const replies = await startKeyedReplies(t)
const { emulator, send, newKey, posts, groupParentId } = replies

interface Refusal {
  readonly what: string
  readonly code: ProblemCode
  readonly fault?: Fault
  readonly attempt?: Partial<ReplyAttempt>
}

const error = (status: number, code: string): Fault => ({ kind: 'error', status, code })
const LASTING: readonly Refusal[] = [
  { what: 'an extension refuses it', code: 'rejected-by-cometchat', fault: error(403, 'ERR_BLOCKED_BY_EXTENSION') },
  { what: 'the receiver blocks the sender', code: 'rejected-by-cometchat', fault: error(403, 'ERR_BLOCKED_RECEIVER') },
  { what: 'the code is a new one', code: 'rejected-by-cometchat', fault: error(418, 'ERR_OF_NEXT_YEAR') },
  { what: 'the parent is gone', code: 'thread-not-found', fault: error(404, 'ERR_MESSAGE_ID_NOT_FOUND') },
  { what: 'the parent has never been there', code: 'thread-not-found', attempt: { parentId: '999999' } },
  { what: 'the thread is for others', code: 'thread-not-found', attempt: { as: 'mallory', parentId: groupParentId } },
  {
    what: 'the receiver is in no such conversation',
    code: 'thread-mismatch',
    fault: error(400, 'ERR_WRONG_MESSAGE_THREAD')
  }
]

for (const { what, code, fault, attempt = {} } of LASTING) {
  t.test(`${what}: the refusal is told again without asking CometChat`, async t => {
    const key = newKey()
    if (fault) emulator.failNext(fault, { method: 'POST' })
    const first = await send(key, { ...attempt, ...withText(what) })
    const asked = emulator.requests.length
    const second = await send(key, { ...attempt, ...withText(what) })

    expectProblem(t, first, code, { hasKey: true })
    expectProblem(t, second, code, { hasKey: true })
    t.same(withoutInstance(second.json), withoutInstance(first.json))
    t.equal(emulator.requests.length, asked, 'no further call')
    t.equal(posts(what).length, 0)
  })
}

t.test('a refusal belongs to its key: with a new one the same reply is posted', async t => {
  emulator.failNext(error(403, 'ERR_BLOCKED_BY_EXTENSION'), { method: 'POST' })
  const refused = await send(newKey(), withText('refused once'))
  const posted = await send(newKey(), withText('refused once'))

  t.same([refused.status, posted.status], [422, 201])
  t.equal(posts('refused once').length, 1)
})

const PASSING: readonly Refusal[] = [
  { what: 'the plan does not allow it', code: 'rejected-by-cometchat', fault: error(402, 'ERR_PLAN_RESTRICTION') },
  { what: 'the app has expired', code: 'upstream-misconfigured', fault: error(402, 'ERR_SUBSCRIPTION_EXPIRED') },
  { what: 'CometChat has had enough', code: 'rate-limited', fault: { kind: 'rate-limited', retryAfter: 30 } },
  {
    what: 'CometChat does not say until when',
    code: 'rate-limited',
    fault: { kind: 'rate-limited', retryAfter: null }
  },
  { what: 'our key was revoked', code: 'upstream-credentials', fault: { kind: 'key-revoked' } },
  { what: 'our key has too small a scope', code: 'upstream-credentials', fault: { kind: 'key-scope' } },
  {
    what: 'the deadline is shorter than the wait that CometChat asks for',
    code: 'rate-limited',
    fault: { kind: 'rate-limited', retryAfter: 5 },
    attempt: { headers: { prefer: 'wait=1' } }
  }
]

for (const { what, code, fault, attempt = {} } of PASSING) {
  t.test(`${what}: the same key succeeds afterwards`, async t => {
    const key = newKey()
    if (fault) emulator.failNext(fault, { method: 'POST' })
    const first = await send(key, { ...attempt, ...withText(what) })
    const second = await send(key, withText(what))

    expectProblem(t, first, code, { hasKey: true, delivery: 'not-sent' })
    t.same([second.status, isReplayed(second)], [201, false])
    t.equal(posts(what).length, 1)
  })
}

t.test('while CometChat cannot be reached nothing is sent, and the same key succeeds once it can', async t => {
  const { port, hostname } = new URL(emulator.url)
  const key = newKey()
  await emulator.stop()
  const during = [await send(key, withText('unreachable')), await send(key, withText('unreachable'))]
  await emulator.start({ port: Number(port), host: hostname })
  const after = await send(key, withText('unreachable'))

  for (const answer of during) expectProblem(t, answer, 'upstream-unreachable', { hasKey: true })
  t.same([after.status, isReplayed(after)], [201, false])
  t.equal(posts('unreachable').length, 1)
})

t.test('a body that is refused here leaves no trace on its key', async t => {
  const key = newKey()
  const refused = await send(key, { body: { data: { text: '' } } })
  const posted = await send(key, withText('corrected'))

  expectProblem(t, refused, 'invalid-request', { hasKey: true })
  t.same([posted.status, isReplayed(posted)], [201, false])
})

t.test('no time at all is not enough to send, and takes nothing away', async t => {
  const key = newKey()
  const hurried = await send(key, { ...withText('hurried'), headers: { prefer: 'wait=0' } })
  const calm = await send(key, withText('hurried'))

  expectProblem(t, hurried, 'deadline-exceeded', { hasKey: true, delivery: 'not-sent' })
  t.equal(calm.status, 201)
  t.equal(posts('hurried').length, 1)
})

function withoutInstance({ instance, ...problem }: Record<string, unknown>): unknown {
  return problem
}
