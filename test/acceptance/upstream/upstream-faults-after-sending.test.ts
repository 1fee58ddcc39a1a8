// What CometChat and the network can do to a reply that has left, on real sockets. Never a second post, never an
// untrue word.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Fault } from '../../../emulator/faults.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem, type ProblemCode, type ProblemExpectation } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

t.setTimeout(240_000)
const { emulator, env, groupParentId } = await startEmulator(t)
const OTHER_KEY = 'f0e1d2c3b4a5968778695a4b3c2d1e0f00112233'
emulator.addKey(OTHER_KEY)
const common = { ...env, COMETCHAT_API_KEY: `${emulator.apiKey},${OTHER_KEY}`, SETTLE_MS: '400' }
// What is no matter of time is given plenty of it: all rows are sent at once, and the machine may be busy.
const [service, hasty] = await Promise.all([
  hostService(t, { ...common, REPLY_DEADLINE_MS: '20000' }),
  hostService(t, { ...common, REPLY_DEADLINE_MS: '2000' })
])

interface Row extends ProblemExpectation {
  readonly what: string
  readonly fault: Fault
  /** 201 where the reply is answered as if nothing had happened. */
  readonly becomes: ProblemCode | 201
  readonly posts: 0 | 1
}

const reset = { becomes: 'upstream-reset' } as const
const failed = { becomes: 'upstream-error' } as const
const unreadable = { becomes: 'upstream-invalid' } as const
const late = { becomes: 'deadline-exceeded', delivery: 'unknown' } as const
const refused = { becomes: 'rejected-by-cometchat', posts: 0 } as const

const json = { 'content-type': 'application/json' }
const html = { 'content-type': 'text/html' }
const raw = (...lines: string[]): Fault => ({ kind: 'raw', bytes: lines.join('\r\n'), commit: true })
const answer = (status: number, body: string, headers: Record<string, string> = json): Fault => ({
  kind: 'answer',
  status,
  headers,
  body,
  commit: true
})
const envelope = (code: string): string => JSON.stringify({ error: { code, message: 'secret-words' } })

const rows: Row[] = [
  { what: 'closes before it reads', fault: { kind: 'close-before-reading' }, ...reset, posts: 0 },
  { what: 'resets before it reads', fault: { kind: 'reset-before-reading' }, ...reset, posts: 0 },
  { what: 'closes and posts nothing', fault: { kind: 'close' }, ...reset, posts: 0 },
  { what: 'posts and closes', fault: { kind: 'close', commit: true }, ...reset, posts: 1 },
  { what: 'resets and posts nothing', fault: { kind: 'reset' }, ...reset, posts: 0 },
  { what: 'posts and resets', fault: { kind: 'reset', commit: true }, ...reset, posts: 1 },
  { what: 'resets and posts later', fault: { kind: 'late-commit', afterMs: 100 }, ...reset, posts: 1 },
  { what: 'is silent and posts nothing', fault: { kind: 'stall' }, ...late, posts: 0 },
  { what: 'posts and is silent', fault: { kind: 'stall', commit: true }, ...late, posts: 1 },
  {
    what: 'posts later and is silent',
    fault: { kind: 'late-commit', afterMs: 100, ending: 'stall' },
    ...late,
    posts: 1
  },
  { what: 'drips its headers', fault: { kind: 'drip-headers' }, ...late, posts: 1 },
  { what: 'drips its body', fault: { kind: 'drip-body' }, ...late, posts: 1 },
  { what: 'stalls after its headers', fault: { kind: 'stall-after-headers' }, ...late, posts: 1 },
  { what: 'stalls in its body', fault: { kind: 'stall-in-body' }, ...late, posts: 1 },
  { what: 'closes in its body', fault: { kind: 'half-body' }, ...reset, posts: 1 },
  { what: 'resets in its body', fault: { kind: 'half-body', ending: 'reset' }, ...reset, posts: 1 },
  { what: 'closes in its chunks', fault: { kind: 'truncated-chunked' }, ...reset, posts: 1 },
  { what: 'ends half a body by closing', fault: { kind: 'close-delimited-half' }, ...unreadable, posts: 1 },
  { what: 'sends what is no HTTP', fault: raw('this is not HTTP', '', ''), ...unreadable, posts: 1 },
  {
    what: 'sends a status that is none',
    fault: raw('HTTP/1.1 2OO OK', 'content-length: 0', '', ''),
    ...unreadable,
    posts: 1
  },
  {
    what: 'folds a header line',
    fault: raw('HTTP/1.1 200 OK', 'x-folded: one', ' two', 'content-length: 2', '', '{}'),
    ...unreadable,
    posts: 1
  },
  {
    what: 'sends a length and chunks',
    fault: raw('HTTP/1.1 200 OK', 'content-length: 2', 'transfer-encoding: chunked', '', '2', '{}', '0', '', ''),
    ...unreadable,
    posts: 1
  },
  {
    what: 'sends two lengths',
    fault: raw('HTTP/1.1 200 OK', 'content-length: 2', 'content-length: 3', '', '{} '),
    ...unreadable,
    posts: 1
  },
  {
    what: 'floods with headers',
    fault: raw('HTTP/1.1 200 OK', `x-much: ${'x'.repeat(100_000)}`, '', ''),
    ...unreadable,
    posts: 1
  },
  { what: 'sends four megabytes', fault: { kind: 'giant-body' }, ...unreadable, posts: 1 },
  { what: 'zips its answer', fault: { kind: 'gzip' }, ...unreadable, posts: 1 },
  { what: 'changes the protocol', fault: { kind: 'unasked-upgrade', commit: true }, ...reset, posts: 1 },
  { what: 'sends 50 early hints first', fault: { kind: 'early-hints' }, becomes: 201, posts: 1 },
  ...[200, 201].map(status => ({
    what: `answers ${status} in HTML`,
    fault: answer(status, '<html>', html),
    ...unreadable,
    posts: 1 as const
  })),
  ...['', 'null', '[]', '{}', '{"data":null}', '{"data":[]}', '{"data":{}}', '{"data":"1"}', '\uFEFF{}'].map(body => ({
    what: `answers 200 with ${JSON.stringify(body)}`,
    fault: answer(200, body),
    ...unreadable,
    posts: 1 as const
  })),
  ...[202, 204, 206, 300, 304].map(status => ({
    what: `answers ${status}`,
    fault: answer(status, ''),
    ...unreadable,
    posts: 1 as const
  })),
  { what: 'tells an error with 200', fault: { kind: 'error-in-200' }, ...unreadable, posts: 1 },
  { what: 'lies about a success', fault: { kind: 'lying-success' }, becomes: 201, posts: 0 },
  ...[500, 502, 503, 504, 599].flatMap(status => [
    {
      what: `posts and answers ${status}`,
      fault: { kind: 'server-error', status, commit: true } as const,
      ...failed,
      posts: 1 as const
    },
    {
      what: `answers ${status} in HTML`,
      fault: { kind: 'server-error', status, format: 'html' } as const,
      ...failed,
      posts: 0 as const
    }
  ]),
  ...['ERR_TOO_MANY_REQUESTS', 'ERR_MESSAGE_NO_ACCESS', 'AUTH_ERR_NO_ACCESS', 'ERR_GROUP_NOT_JOINED'].map(code => ({
    what: `posts and answers 500 with ${code}`,
    fault: answer(500, envelope(code), { ...json, 'retry-after': '0' }),
    ...failed,
    posts: 1 as const
  })),
  { what: 'posts and answers 408', fault: answer(408, envelope('ERR_MESSAGE_NO_ACCESS')), ...failed, posts: 1 },
  {
    what: 'finds it too early (425)',
    fault: { kind: 'error', status: 425, code: 'X' },
    becomes: 'upstream-unreachable',
    posts: 0
  },
  ...[400, 409, 413, 417, 422, 451].map(status => ({
    what: `refuses with ${status} and a code nobody knows`,
    fault: { kind: 'error', status, code: 'ERR_secret-words' } as const,
    ...refused
  })),
  ...[400, 401, 403, 404, 413].map(status => ({
    what: `answers ${status} without an envelope`,
    fault: answer(status, '<html>secret-words', html),
    ...unreadable,
    posts: 1 as const
  })),
  {
    what: 'describes otherwise what nothing depends on',
    fault: { kind: 'break-schema', set: { sentAt: 'x', updatedAt: null, conversationId: 7, tags: null, muid: 1 } },
    becomes: 201,
    posts: 1
  },
  { what: 'gives no id', fault: { kind: 'break-schema', remove: ['id'] }, becomes: 'upstream-contract', posts: 1 },
  { what: 'shows the key', fault: { kind: 'key-in-answer' }, becomes: 'upstream-contract', posts: 1 },
  { what: 'names no sender', fault: { kind: 'break-schema', remove: ['sender'] }, ...unreadable, posts: 1 },
  { what: 'names no parent', fault: { kind: 'break-schema', remove: ['parentId'] }, ...unreadable, posts: 1 },
  { what: 'writes ids as numbers', fault: { kind: 'numeric-ids' }, becomes: 201, posts: 1 },
  { what: 'does not repeat metadata', fault: { kind: 'metadata-missing' }, becomes: 201, posts: 1 }
]

// All at once: each has a thread of its own, and the slow ones wait together.
const attempts = rows.map(({ fault, ...row }) => {
  const { id: parentId } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  const path = new RegExp(`/${parentId}/thread$`)
  emulator.failNext(fault, { method: 'POST', path })
  const body = { data: { text: 'secret-words' }, receiver: 'bob', receiverType: 'user' }
  const target = row.becomes === 'deadline-exceeded' ? hasty : service
  return { ...row, parentId, path, answered: postReply(target, { parentId, body }) }
})

// Late posts count, too.
await Promise.all(attempts.map(({ answered }) => answered))

for (const { what, becomes, posts, parentId, path, answered, ...expected } of attempts) {
  t.test(`CometChat ${what}: ${becomes}, ${posts} posted`, async t => {
    const answer = await answered

    if (becomes === 201) {
      t.match(answer, { status: 201, json: { data: { sender: 'alice' } } })
      t.equal(String(answer.json.data.parentId), parentId)
    } else {
      expectProblem(t, answer, becomes, { without: ['secret-words', emulator.apiKey, OTHER_KEY], ...expected })
    }
    t.equal(emulator.ledger.filter(post => post.parentId === parentId).length, posts)
    t.equal(emulator.requests.filter(request => path.test(request.path)).length, 1, 'one attempt')
  })
}

for (const ending of ['close', 'reset'] as const) {
  t.test(`a connection that CometChat ends (${ending}) while it is idle costs nobody a reply`, async t => {
    const posts = emulator.ledger.length
    emulator.failNext({ kind: 'close-after-answer', ending, afterMs: 0 }, { method: 'POST' })

    const answers = [await replyToTeam()]
    // For its end to be read: a reply that meets it halfway would be in doubt, as it has to be.
    await sleep(500)
    answers.push(await replyToTeam())

    t.match(answers, [{ status: 201 }, { status: 201 }])
    t.equal(emulator.ledger.length, posts + 2)
  })

  t.test(`a used connection that ends (${ending}) with a reply on it is no reason to send it again`, async t => {
    await replyToTeam()
    const [posts, requests] = [emulator.ledger.length, emulator.requests.length]
    emulator.failNext({ kind: ending, commit: true }, { method: 'POST' })

    const answer = await replyToTeam()

    expectProblem(t, answer, 'upstream-reset')
    t.same([emulator.ledger.length, emulator.requests.length], [posts + 1, requests + 1])
    const [used, before] = [emulator.requests.at(-1), emulator.requests.at(-2)]
    t.equal(used?.connection, before?.connection, 'it was a used one')
  })
}

t.test('the log says nothing of keys, texts and what CometChat wrote', async t => {
  const log = service.output.join('\n')

  for (const secret of [emulator.apiKey, OTHER_KEY, 'secret-words', 'Please']) t.notOk(log.includes(secret), secret)
})

function replyToTeam() {
  const body = { data: { text: 'hello' }, receiver: 'team', receiverType: 'group' }
  return postReply(service, { parentId: groupParentId, body })
}
