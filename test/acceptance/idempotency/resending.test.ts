// When this service sends a reply again by itself: only after CometChat said that it refused it, and within the
// deadline. What fails before sending is in upstream-faults-before-sending.test.ts.
import t from 'tap'
import type { Fault } from '../../../emulator/faults.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, type ReplyAttempt, startEmulator } from '../../helpers/thread.ts'

const SETTLE_MS = 1500
t.setTimeout(240_000)
const { emulator, env } = await startEmulator(t, { settleMs: 600 })
const service = await hostService(t, {
  ...env,
  REPLY_DEADLINE_MS: '4000',
  SETTLE_MS: String(SETTLE_MS)
})
const toBob = { receiver: 'bob', receiverType: 'user' } as const

/** Replies in a thread of its own and counts what CometChat saw of it. */
async function replyTo(sentAtMs: number | undefined, fault?: Fault, attempt: Partial<ReplyAttempt> = {}, times = 1) {
  const parent = { sender: 'bob', receiver: 'alice', receiverType: 'user' } as const
  const { id } = emulator.addMessage({ ...parent, ...(sentAtMs !== undefined && { sentAtMs }) })
  const path = new RegExp(`/${id}/thread$`)
  if (fault) emulator.failNext(fault, { path, times })
  const startMs = performance.now()
  const body = { data: { text: 'hello' }, ...toBob }
  const answer = await postReply(service, { parentId: id, body, ...attempt })
  return {
    answer,
    tookMs: performance.now() - startMs,
    attempts: emulator.requests.filter(request => path.test(request.path)).length,
    posts: emulator.ledger.filter(post => post.parentId === id).length
  }
}

for (const dialect of ['X-Rate-Limit', 'X-RateLimit', 'none'] as const) {
  t.test(`a 429 whose Retry-After fits is waited for and sent once more (headers: ${dialect})`, async t => {
    const { answer, attempts, posts, tookMs } = await replyTo(undefined, {
      kind: 'rate-limited',
      retryAfter: 1,
      dialect
    })

    t.equal(answer.status, 201)
    t.same([attempts, posts], [2, 1])
    t.ok(tookMs >= 1000)
  })

  t.test(`a 429 whose Retry-After does not fit is told at once (headers: ${dialect})`, async t => {
    const { answer, attempts, posts } = await replyTo(undefined, { kind: 'rate-limited', retryAfter: 25, dialect })

    expectProblem(t, answer, 'rate-limited')
    t.equal(answer.headers.get('retry-after'), '25')
    t.same([attempts, posts], [1, 0])
  })
}

t.test('a 429 that comes again is told, with its Retry-After', async t => {
  const limited = { kind: 'rate-limited', retryAfter: 1 } as const
  const { answer, attempts, posts } = await replyTo(undefined, limited, {}, 5)

  expectProblem(t, answer, 'rate-limited')
  t.equal(answer.headers.get('retry-after'), '1')
  t.same([attempts, posts], [2, 0])
})

for (const retryAfter of [null, 'soon', '-1', '1.5', '0x1', '']) {
  t.test(`a 429 with Retry-After ${JSON.stringify(retryAfter)} is told with a time of our own`, async t => {
    const { answer, attempts, posts } = await replyTo(undefined, { kind: 'rate-limited', retryAfter })

    expectProblem(t, answer, 'rate-limited')
    t.same([attempts, posts], [1, 0])
  })
}

t.test('a Retry-After may be a date', async t => {
  const retryAfter = new Date(Date.now() + 600_000).toUTCString()

  const { answer } = await replyTo(undefined, { kind: 'rate-limited', retryAfter })

  const seconds = Number(answer.headers.get('retry-after'))
  t.ok(seconds > 590 && seconds <= 600, `${seconds} s`)
})

t.test('a reply to a message that was just created is posted once it has settled, once', async t => {
  const { answer, attempts, posts } = await replyTo(Date.now())

  t.equal(answer.status, 201)
  t.ok(attempts > 1)
  t.equal(posts, 1)
})

t.test('the receiver is found in a message that was just created', async t => {
  const { answer, posts } = await replyTo(Date.now(), undefined, { body: { data: { text: 'hello' } } })

  t.match(answer, { status: 201, json: { data: { receiver: 'bob' } } })
  t.equal(posts, 1)
})

t.test('a read that is lost is made again, a post is not', async t => {
  const { id } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  emulator.failNext({ kind: 'reset' }, { method: 'GET', path: new RegExp(`/${id}$`), times: 2 })

  const answer = await postReply(service, { parentId: id })

  t.equal(answer.status, 201)
  t.same(
    emulator.requests.filter(({ path }) => path.includes(id)).map(({ method }) => method),
    ['GET', 'GET', 'GET', 'POST']
  )
})

t.test('a user who has no access is refused when the window is over, and not before', async t => {
  const { answer, posts, tookMs } = await replyTo(undefined, undefined, { as: 'mallory' })

  expectProblem(t, answer, 'thread-not-found')
  t.equal(posts, 0)
  t.ok(tookMs >= SETTLE_MS - 50 && tookMs < SETTLE_MS + 2400, `${tookMs} ms`)
})

t.test('a deadline within the window is what is told, and nothing is sent', async t => {
  const { answer, posts } = await replyTo(Date.now() + 60_000, undefined, { headers: { prefer: 'wait=1' } })

  expectProblem(t, answer, 'deadline-exceeded', { delivery: 'not-sent' })
  t.equal(posts, 0)
})

t.test('a refusal that time does not heal is not sent again', async t => {
  for (const code of ['ERR_GROUP_NOT_JOINED', 'ERR_BLOCKED_RECEIVER', 'ERR_BAD_REQUEST', 'ERR_MESSAGE_ID_NOT_FOUND']) {
    const { answer, attempts, posts } = await replyTo(undefined, { kind: 'error', status: 403, code })

    t.match(answer.json, { delivery: 'not-sent', retryable: false }, code)
    t.same([attempts, posts], [1, 0], code)
  }
})
