// `Prefer: handling=explain`: what would become of a reply, which is not sent.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { leaksIn } from '../../helpers/leaks.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { startTarget, startTargetProcess } from '../../helpers/target.ts'
import type { ReplyAnswer } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const directory = mkdtempSync(join(tmpdir(), 'explain-'))
t.teardown(() => rmSync(directory, { recursive: true, force: true }))
const auditFile = join(directory, 'audit.ndjson')
const target = await startTargetProcess(t, {
  env: {
    AUTH_EXPLAIN_SCOPE: 'replies:explain',
    AUTH_ACT_SCOPE: 'replies:act',
    LIMIT_MODE: undefined,
    LIMIT_USER_PER_MINUTE: '6',
    UID_CREATE: 'on',
    AUDIT_FILE: auditFile,
    AUDIT_SECRET: 'a-secret-of-an-audit-file-in-tests-of-40'
  }
})
const { emulator, service } = target
const EXPLAIN = { prefer: 'handling=explain' }

const operator = (user = 'alice', scope = 'replies:explain') => tokenFor(user, { claims: { scope } })

async function explain(attempt: Parameters<typeof target.post>[0] = {}): Promise<ReplyAnswer> {
  const token = attempt.token ?? (await operator(attempt.as))
  return target.post({ ...attempt, token, headers: { ...EXPLAIN, ...attempt.headers } })
}

const methods = (): string[] => emulator.requests.map(({ method, path }) => `${method} ${path.split('?')[0]}`)

t.test('it tells who, how the limits stand, what would be sent and what is decided, and nothing is sent', async t => {
  const headers = { 'idempotency-key': '"compared"', 'x-request-id': 'explained-one' }
  const body = { data: { text: 'hello', metadata: { own: 1 } }, tags: ['a'], muid: 'bubble' }
  const answer = await explain({ headers, body })

  t.equal(answer.status, 200)
  t.equal(answer.headers.get('preference-applied'), 'handling=explain')
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.match(answer.headers.get('content-type'), /^application\/json/)
  t.strictSame(Object.keys(answer.json as object), ['identity', 'limits', 'decision', 'request'])
  t.strictSame(answer.json['identity'], {
    scheme: 'bearer',
    issuer: 'https://issuer.test',
    subject: 'alice',
    uid: 'alice'
  })
  t.strictSame(answer.json['limits'], {
    mode: 'enforce',
    policies: [
      { policy: 'user', limit: 6, remaining: 6 },
      { policy: 'app', limit: 20_000, remaining: 20_000 }
    ]
  })
  t.strictSame(answer.json['decision'], { action: 'send' })
  t.same(methods(), [`GET /v3/messages/${target.parentId}`], 'the parent was read: that much CometChat is asked')
  t.same(target.takePosts(), [])

  const { status } = await target.post({ headers, body })
  t.equal(status, 201, 'the key was not claimed')
  const [posted] = emulator.requests.filter(({ method }) => method === 'POST')
  const { apikey, ...sent } = posted?.headers ?? {}
  const { apikey: shown, ...told } = answer.json['request'].headers
  t.equal(apikey, emulator.apiKey)
  t.match(shown, /^sha256:[0-9a-f]{8}$/)
  t.match(
    sent,
    Object.fromEntries(Object.entries(told).map(([name, value]) => [name.toLowerCase(), value])),
    'each header goes out as it was told'
  )
  t.equal(answer.json['request'].url, `${emulator.url}${posted?.path}`)
  t.strictSame(JSON.parse(posted?.body ?? ''), answer.json['request'].body, 'and the body, mark and all')

  const line = await service.lineWhere(({ requestId }) => requestId === 'explained-one')
  t.match(line, { status: 200, explained: true, delivery: 'not-sent', uid: 'alice', parentId: target.parentId })
})

t.test('a key that was used would be replayed, and that changes nothing', async t => {
  const headers = { 'idempotency-key': '"used"' }
  target.takePosts()
  const sent = await target.post({ as: 'bob', headers })
  t.equal(sent.status, 201)
  for (let time = 0; time < 2; time++) {
    const { json } = await explain({ as: 'bob', headers })
    t.strictSame(json['decision'], { action: 'replay', messageId: sent.json['data'].id })
  }
  const other = await explain({ as: 'bob', headers, body: { data: { text: 'something else' } } })
  t.match(other.json['decision'], {
    action: 'refuse',
    problem: { status: 422, code: 'idempotency-key-reused', delivery: 'not-sent', retryable: false }
  })
  const again = await target.post({ as: 'bob', headers })
  t.same([again.status, again.headers.get('idempotent-replayed')], [201, 'true'])
  t.equal(target.takePosts().length, 1)
})

t.test('it is not charged, and says what a limit would refuse', async t => {
  const standing = async () => {
    const { json, headers } = await explain({ as: 'carol' })
    t.match(headers.get('ratelimit'), `"user";r=${json['limits'].policies[0].remaining}`, 'as the header has it')
    return [json['limits'].policies[0].remaining, json['decision'].action]
  }
  const post = () => target.post({ as: 'carol', parentId: target.groupParentId })
  for (let time = 0; time < 6; time++) t.same(await standing(), [6, 'refuse'], 'carol is not in this conversation')
  for (const left of [5, 4, 3, 2, 1, 0]) {
    t.equal((await post()).status, 201)
    t.equal((await standing())[0], left)
  }
  const { json } = await explain({ as: 'carol', parentId: target.groupParentId })
  t.match(json['decision'], {
    action: 'refuse',
    reason: 'limit-user',
    problem: { status: 429, code: 'rate-limited', 'violated-policies': ['user'] }
  })
  t.ok(json['decision'].problem.retryAfterMs > 50_000 && json['decision'].problem.retryAfterMs <= 62_000)
  t.ok(json['limits'].policies[0].nextInMs > 50_000)
  t.match((await post()).json, { code: 'rate-limited' }, 'which it does')
  target.takePosts()
})

t.test('a thread that the user does not see is refused; nobody is created for the look', async t => {
  const unseen = await explain({ parentId: '999999' })
  t.match(unseen.json['decision'], { action: 'refuse', problem: { status: 404, code: 'thread-not-found' } })
  t.notOk('request' in unseen.json)
  const stranger = await explain({ as: 'stranger' as 'alice' })
  t.match(stranger.json['decision'], { action: 'refuse', problem: { status: 403, code: 'identity-unmappable' } })
  t.notOk(
    methods().some(method => method.startsWith('POST')),
    methods().join()
  )
})

t.test('a service with both scopes explains the reply of the user it names', async t => {
  const token = await operator('billing', 'replies:explain replies:act')
  const { status, json } = await explain({ token, headers: { 'x-acting-for': 'bob' } })
  t.equal(status, 200)
  t.match(json['identity'], { subject: 'bob', uid: 'bob', actors: ['billing'] })
  t.match(json['request'].headers, { onBehalfOf: 'bob' })
})

t.test('without the scope it is refused however it is written, and nothing is sent', async t => {
  target.takePosts()
  for (const prefer of ['handling=explain', 'Handling = "EXPLAIN"', 'wait=1, handling=explain;x="a,b"']) {
    const answer = await target.post({ as: 'alice', headers: { prefer } })
    expectProblem(t, answer, 'forbidden')
  }
  const [answer] = [
    await target.send({
      lines: [
        `Authorization: Bearer ${await operator('alice', 'replies:act')}`,
        'Content-Type: application/json',
        'Prefer: return=minimal',
        'Prefer: handling=explain',
        'X-Request-Id: two-lines'
      ]
    })
  ]
  t.match(answer?.json, { status: 403, code: 'forbidden' }, 'also in the second of two lines')
  t.match(await service.lineWhere(({ requestId }) => requestId === 'two-lines'), {
    code: 'forbidden',
    reason: 'explain-scope',
    delivery: 'not-sent'
  })
  t.same(target.takePosts(), [])
})

t.test('what is not known is ignored, also by callers without the scope', async t => {
  for (const prefer of ['handling=strict', 'handling', 'foo="handling=explain"', 'respond-async', 'explain']) {
    t.equal((await target.post({ as: 'bob', headers: { prefer } })).status, 201, prefer)
  }
  t.equal(target.takePosts().length, 5)
})

t.test('a request that is refused before is refused as ever', async t => {
  expectProblem(t, await explain({ body: { data: { text: 1 } } }), 'invalid-request')
  expectProblem(t, await explain({ token: 'nobody' }), 'unauthenticated')
  expectProblem(t, await explain({ headers: { 'idempotency-key': '' } }), 'idempotency-key-invalid')
})

t.test('where the variable is not set nobody may, whatever the token says', async t => {
  const { post, takePosts } = await startTarget(t)
  const token = await operator('alice', 'replies:explain explain undefined')
  expectProblem(t, await post({ token, headers: EXPLAIN }), 'forbidden')
  t.same(takePosts(), [])
  t.equal((await post({ token })).status, 201)
})

t.test('the audit file has each of them as what it is, and neither it nor an answer has the key', async t => {
  const { text } = await explain()
  await service.stop('SIGTERM')
  const lines = readFileSync(auditFile, 'utf8')
  const requests = lines
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
    .filter(({ kind }) => kind === 'request')
  const explained = requests.filter(line => line.explained === true)
  t.ok(explained.length > 15)
  for (const line of explained) t.match(line, { status: 200, delivery: 'not-sent', uid: String })
  t.ok(requests.some(({ delivery, explained }) => delivery === 'sent' && explained === undefined))
  t.same(leaksIn([{ where: 'audit', text: lines + text + service.output.join() }], { key: emulator.apiKey }), [])
})
