// The log: one line for each request, from a fixed list of fields, and nothing that anybody sent.
import t from 'tap'
import type { Fault } from '../../../emulator/faults.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import type { LogLine } from '../../helpers/service-lines.ts'
import { postReply, type ReplyAttempt, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const ALWAYS = 'level time msg instance requestId method route status durationMs'.split(' ')
const FIELDS = new Set([
  ...ALWAYS,
  ...'code delivery reason scheme issuer subject uid actors parentId messageId'.split(' '),
  ...'replayed reconciled attempts keyFingerprint upstreamMs upstreamStatus upstreamCode'.split(' '),
  ...'trace_id authMs queueMs storeMs'.split(' ')
])
/** Stands in everything that a caller sends. */
const CANARY = 'c4n4ry'

const { emulator, env, parentId } = await startEmulator(t, { switches: { keyInErrors: 'repeated' } })
const service = await hostService(t, { ...env, REPLY_DEADLINE_MS: '2000' })
const token = await tokenFor('alice', { claims: { note: CANARY, act: { sub: 'mobile-backend' } } })
const text = { data: { text: CANARY, metadata: { note: CANARY } }, tags: [CANARY] }

const cases: [title: string, attempt: Partial<ReplyAttempt>, line: LogLine, fault?: Fault][] = [
  ['a reply', {}, { status: 201, delivery: 'sent', attempts: 2, upstreamStatus: 200, messageId: /^\d+$/ }],
  ['a reply without answer', {}, { status: 504, delivery: 'unknown', upstreamCode: 'DEADLINE' }, { kind: 'stall' }],
  ['a reset', {}, { status: 502, delivery: 'unknown', upstreamCode: 'ECONNRESET', attempts: 1 }, { kind: 'reset' }],
  [
    'a refused key',
    {},
    { status: 502, code: 'upstream-credentials', upstreamStatus: 403, upstreamCode: 'AUTH_ERR' },
    { kind: 'key-scope' }
  ],
  [
    'a code nobody knows',
    {},
    { status: 422, upstreamStatus: 400, upstreamCode: 'other' },
    { kind: 'error', status: 400, code: `ERR_${CANARY}`, message: CANARY }
  ],
  [
    'a broken contract',
    {},
    { status: 502, delivery: 'sent', code: 'upstream-contract' },
    { kind: 'break-schema', set: { sentAt: CANARY }, remove: ['id'] }
  ],
  ['a body that is not JSON', { body: `{"${CANARY}` }, { status: 400, code: 'malformed-request' }],
  ['members nobody knows', { body: { ...text, [CANARY]: CANARY } }, { status: 422, code: 'invalid-request' }],
  ['a thread that is none', { parentId: CANARY }, { status: 422, code: 'invalid-request' }],
  ['an address nobody knows', { parentId: `1/${CANARY}` }, { status: 404, route: 'none' }],
  ['a query', { parentId: `1/replies?token=${CANARY}` }, { status: 422, code: 'invalid-request' }],
  ['a token that is none', { token: CANARY }, { status: 401, code: 'unauthenticated' }],
  ['a user that cannot be one', { as: 'A B' }, { status: 403, code: 'identity-unmappable' }],
  ['a cookie beside the token', { headers: { cookie: `connect.sid=${CANARY}` } }, { status: 201 }]
]

for (const [index, [title, attempt, expected, fault]] of cases.entries()) {
  t.test(`${title} is one line`, async t => {
    const requestId = `request-${index}`
    const headers = { 'x-request-id': requestId, 'user-agent': CANARY, 'idempotency-key': CANARY + index }
    if (fault) emulator.failNext(fault, { method: 'POST' })

    const all = { parentId, body: text, ...(attempt.as ? {} : { token }), ...attempt }
    const { status } = await postReply(service, { ...all, headers: { ...headers, ...attempt.headers } })

    const line = await service.lineWhere(line => line['requestId'] === requestId)
    const level = status === 500 || status === 502 ? 'error' : status > 502 ? 'warn' : 'info'
    t.match(line, { level, msg: 'request', method: 'POST', status, ...expected })
    t.type(line['durationMs'], 'number')
    t.same(
      Object.keys(line).filter(name => !FIELDS.has(name)),
      [],
      'no field but the listed ones'
    )
    for (const name of ALWAYS) t.ok(name in line, name)
    if (![400, 401, 403, 404].includes(status)) {
      t.match(line, { issuer: 'https://issuer.test', subject: 'alice', uid: 'alice', actors: ['mobile-backend'] })
    }
  })
}

t.test('after all of it there is one line a request, and nothing in it that was sent', async t => {
  await postReply(service, { parentId })
  await service.lineWhere(({ status, actors }) => status === 201 && actors === undefined)

  const lines = service.logLines().filter(({ msg }) => msg === 'request')
  const log = [...service.output, ...service.errors].join('\n')

  t.equal(lines.length, cases.length + 1)
  t.equal(new Set(lines.map(line => line['requestId'])).size, lines.length)
  for (const secret of [CANARY, emulator.apiKey, token, token.split('.')[2] ?? '', 'Bearer', 'make sure']) {
    t.notOk(log.includes(secret), secret)
  }
  t.equal(service.logLines().length, service.output.length, 'every line is JSON')
})
