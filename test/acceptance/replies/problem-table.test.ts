// Every row of the table in docs/problems.md, produced from outside, and as docs/openapi.json describes it.
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Fault } from '../../../emulator/faults.ts'
import { createReader } from '../../contract/described.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem, PROBLEM_CODES, type ProblemCode, type ProblemExpectation } from '../../helpers/problem.ts'
import { connectRaw, requestBytes } from '../../helpers/raw-http.ts'
import { isExplained } from '../../helpers/reasons.ts'
import { BREAK_AFTER, BREAK_BEFORE, sabotage } from '../../helpers/sabotage.ts'
import { startService } from '../../helpers/service-process.ts'
import { postReply, type ReplyAttempt, startEmulator } from '../../helpers/thread.ts'
import { tokenFor, tokenOfProvider } from '../../helpers/tokens.ts'
import { readDocument } from '../../openapi/files.ts'

/** What it takes more than one request and one service to produce, and the test that does. */
const PRODUCED_ELSEWHERE: Partial<Record<ProblemCode, string>> = {
  'idempotency-in-flight': '../idempotency/idempotency.test.ts',
  'idempotency-key-reused': '../idempotency/idempotency.test.ts',
  'store-unavailable': '../stores/store-trouble.test.ts',
  'store-recovering': '../stores/store-away.test.ts',
  csrf: '../sessions/app-session.test.ts',
  'not-yours': '../thread/own-reply.test.ts',
  overloaded: '../limits/hung-cometchat.test.ts',
  'not-found': './refusals-arrive.test.ts',
  'method-not-allowed': './refusals-arrive.test.ts',
  'request-timeout': '../hostile/slow-clients.test.ts',
  'headers-too-large': './body-limits.test.ts',
  // Its client is gone: the log tells of it.
  'client-closed': './client-gone.test.ts'
}
const SCOPE = 'replies:write'
const NOTHING_LISTENS = 'http://127.0.0.1:1'

t.setTimeout(240_000)
const { emulator, env, parentId, groupParentId } = await startEmulator(t, { switches: { blockedWords: ['darn'] } })
const quick = { ...env, REPLY_DEADLINE_MS: '1500' }
const [main, strict, lost, keyless, broken] = await Promise.all([
  hostService(t, { ...quick, AUTH_JWT_COOKIE: '__session' }),
  hostService(t, { ...quick, IDEMPOTENCY_KEY: 'required', AUTH_JWT_SCOPE: SCOPE }),
  hostService(t, { ...quick, COMETCHAT_BASE_URL: NOTHING_LISTENS }),
  hostService(t, { ...quick, AUTH_JWT_SECRET: undefined, AUTH_JWT_JWKS_URL: `${NOTHING_LISTENS}/jwks` }, 'listening'),
  startService(t, { ...quick, ...sabotage() })
])
const produced = new Set<ProblemCode>()
const { undescribed } = createReader(readDocument())

interface Case extends ProblemExpectation {
  readonly code: ProblemCode
  readonly when: string
  readonly service?: { readonly url: string }
  readonly send?: Partial<ReplyAttempt>
  /** What CometChat does to the post; a read before it is left alone. */
  readonly fault?: Fault
  readonly posts?: number
  /** What the answer holds besides. */
  readonly headers?: Readonly<Record<string, string | RegExp>>
  readonly json?: object
}

const text = (words: string) => ({ data: { text: words } })
const withKey = () => ({ headers: { 'idempotency-key': crypto.randomUUID() } })

const cases: Case[] = [
  { code: 'malformed-request', when: 'the body is not JSON', send: { body: '{"data":' } },
  {
    code: 'reserved-name',
    when: 'the body names a sender',
    send: { body: { ...text('hi'), sender: 'bob' } },
    json: { errors: [{ pointer: '/sender' }] }
  },
  { code: 'ambiguous-credentials', when: 'a cookie holds another token', send: { headers: { cookie: '__session=1' } } },
  {
    code: 'idempotency-key-invalid',
    when: 'the key is two',
    send: { headers: { 'idempotency-key': 'a, b' } },
    hasKey: true
  },
  {
    code: 'idempotency-key-required',
    when: 'keys are required and there is none',
    service: strict,
    send: { token: await tokenFor('alice', { claims: { scope: SCOPE } }) }
  },
  {
    code: 'unauthenticated',
    when: 'nobody is signed in',
    send: { headers: { authorization: '' } },
    headers: { 'www-authenticate': 'Bearer' }
  },
  {
    code: 'unauthenticated',
    when: 'the token is signed by another',
    send: { token: await tokenFor('alice', { secret: 'another-secret-for-tests-of-40-bytes-xxx' }) },
    headers: { 'www-authenticate': /^Bearer error="invalid_token"/ }
  },
  {
    code: 'unauthenticated',
    when: 'the token has expired',
    send: { token: await tokenFor('alice', { claims: { exp: 1_700_000_000 } }) },
    headers: { 'www-authenticate': /^Bearer error="invalid_token"/ }
  },
  { code: 'forbidden', when: 'the scope is missing', service: strict, headers: { 'www-authenticate': /insufficient/ } },
  { code: 'identity-unmappable', when: 'CometChat would fold the name', send: { as: 'Alice' }, without: ['Alice'] },
  { code: 'thread-not-found', when: 'there is no such parent', send: { parentId: '999999' } },
  { code: 'thread-not-found', when: 'the parent is not for this user', send: { as: 'mallory' } },
  {
    code: 'thread-mismatch',
    when: 'the receiver is of another conversation',
    send: { parentId: groupParentId, body: { ...text('hi'), receiver: 'bob', receiverType: 'user' } }
  },
  { code: 'payload-too-large', when: 'the body has 300 kB', send: { body: text('x'.repeat(300_000)) } },
  { code: 'unsupported-media-type', when: 'the body is a form', send: { headers: { 'content-type': 'text/plain' } } },
  {
    code: 'invalid-request',
    when: 'members are unknown, wrong or missing',
    send: { body: { dta: 1, tags: 'secret-tag', data: {} } },
    json: { errors: [{ pointer: '/dta' }, { pointer: '/tags' }] },
    without: ['secret-tag']
  },
  {
    code: 'rejected-by-cometchat',
    when: 'an extension blocks the text',
    send: { body: text('darn') },
    json: { errors: [{ code: 'ERR_BLOCKED_BY_EXTENSION' }] }
  },
  {
    code: 'rate-limited',
    when: 'CometChat takes no more for longer than there is time',
    fault: { kind: 'rate-limited', retryAfter: 30 },
    headers: { 'retry-after': '30' },
    json: { retryAfterMs: 30_000 }
  },
  {
    code: 'upstream-credentials',
    when: 'the key is revoked',
    fault: { kind: 'key-revoked' },
    without: [emulator.apiKey]
  },
  {
    code: 'upstream-misconfigured',
    when: 'the subscription of the app has expired',
    fault: { kind: 'error', status: 402, code: 'ERR_SUBSCRIPTION_EXPIRED' },
    without: ['ERR_SUBSCRIPTION_EXPIRED']
  },
  ...bothWays({ code: 'upstream-reset', when: 'the connection is reset', fault: { kind: 'reset' } }),
  ...bothWays({
    code: 'upstream-error',
    when: 'CometChat posts and answers 500',
    fault: { kind: 'server-error', commit: true },
    posts: 1
  }),
  ...bothWays({ code: 'upstream-invalid', when: 'CometChat zips its answer', fault: { kind: 'gzip' }, posts: 1 }),
  ...bothWays({
    code: 'upstream-mismatch',
    when: 'the answer is of another user',
    fault: { kind: 'foreign-answer', of: 'other-user' },
    posts: 1
  }),
  {
    code: 'upstream-contract',
    when: 'the answer is bound and must not be passed on',
    fault: { kind: 'key-in-answer' },
    posts: 1,
    json: { messageId: /^\d+$/ }
  },
  { code: 'upstream-unreachable', when: 'nothing listens there', service: lost },
  {
    code: 'identity-provider-unavailable',
    when: 'the keys cannot be read',
    service: keyless,
    send: { token: await tokenOfProvider('alice') }
  },
  ...bothWays({
    code: 'deadline-exceeded',
    when: 'CometChat is silent after the post',
    fault: { kind: 'stall', commit: true },
    posts: 1,
    delivery: 'unknown'
  }),
  {
    code: 'internal',
    when: 'this service has a bug before it sends',
    service: broken,
    send: { body: text(BREAK_BEFORE), ...withKey() }
  },
  {
    code: 'internal',
    when: 'this service has a bug after it sent',
    service: broken,
    send: { body: text(BREAK_AFTER) },
    delivery: 'unknown',
    posts: 1
  }
]

for (const { code, when, service = main, send = {}, fault, posts = 0, headers = {}, json = {}, ...expected } of cases) {
  t.test(`${code}: ${when}`, async t => {
    if (fault) emulator.failNext(fault, { method: 'POST' })
    const before = emulator.ledger.length

    const answer = await postReply(service, { parentId, ...send })

    check(t, answer, code, { ...expected, hasKey: send.headers?.['idempotency-key'] !== undefined })
    t.match(answer.json, json)
    for (const [name, value] of Object.entries(headers)) t.match(answer.headers.get(name), value, name)
    if (code !== 'unauthenticated' && code !== 'forbidden') t.equal(answer.headers.get('www-authenticate'), null)
    t.equal(emulator.ledger.length - before, posts, 'posted in truth')
  })
}

t.test('deadline-exceeded: CometChat does not even describe the thread, so nothing is sent', async t => {
  const { id } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  emulator.failNext({ kind: 'stall' }, { method: 'GET' })

  const answer = await postReply(main, { parentId: id })

  check(t, answer, 'deadline-exceeded', { delivery: 'not-sent' })
  t.notOk(emulator.ledger.find(post => post.parentId === id))
})

t.test('draining: what comes too late to be finished is refused, what is under way is not', async t => {
  const service = await startService(t, { ...env, REPLY_DEADLINE_MS: '4000' })
  const late = await connectRaw(t, service.url)
  late.send(requestBytes('GET /', {}))
  await late.answer()
  const [head, rest] = [`POST /threads/${parentId}/replies HTTP/1.1\r\n`, 'host: bff.test\r\n\r\n']
  late.send(head)
  emulator.failNext({ kind: 'stall' }, { method: 'POST' })
  const before = emulator.requests.length
  const hung = postReply(service, { parentId, body: { ...text('hi'), receiver: 'bob', receiverType: 'user' } })
  while (emulator.requests.length === before) await sleep(10)

  const exited = service.stop('SIGTERM')
  await service.lineWhere(({ msg }) => msg === 'draining')
  // The margin in which new replies are still taken.
  await sleep(2200)
  late.send(rest)

  const answer = await late.answer()
  check(t, answer, 'draining')
  t.equal(answer.headers.get('connection'), 'close')
  check(t, await hung, 'deadline-exceeded', { delivery: 'unknown' })
  t.equal(await exited, 0)
})

t.test('every row of the table is produced here, or by the test that is named', async t => {
  const missing = PROBLEM_CODES.filter(code => !produced.has(code))

  t.same(missing.sort(), Object.keys(PRODUCED_ELSEWHERE).sort())
  for (const [code, file] of Object.entries(PRODUCED_ELSEWHERE)) {
    const path = new URL(file, import.meta.url)
    t.ok(existsSync(path) && readFileSync(path, 'utf8').includes(`'${code}'`), `${file} produces ${code}`)
  }
})

t.test('each of them has its line, with a reason that the documents explain', async t => {
  const lines = [main, strict, lost, keyless, broken].flatMap(service => service.logLines())
  const refused = lines.filter(({ msg, code }) => msg === 'request' && code !== undefined)

  t.same(
    refused.filter(line => !isExplained(line)),
    []
  )
  const logged = new Set(refused.map(({ code }) => code))
  t.same(
    [...produced].filter(code => !logged.has(code) && code !== 'draining'),
    []
  )
})

function check(...[t, answer, code, expected]: Parameters<typeof expectProblem>): void {
  expectProblem(t, answer, code, expected)
  t.strictSame(undescribed(`/threads/${parentId}/replies`, 'POST', answer), [], 'as the document describes it')
  if (t.passing()) produced.add(code)
}

/** The same case without an Idempotency-Key, where resending is not safe, and with one. */
function bothWays(given: Case): Case[] {
  return [given, { ...given, when: `${given.when}, under a key`, send: { ...given.send, ...withKey() } }]
}
