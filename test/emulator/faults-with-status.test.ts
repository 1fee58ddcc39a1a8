import t from 'tap'
import type { Fault } from '../../emulator/faults.ts'
import { replyRaw, UNTIL_END_MS } from './raw-client.ts'
import { reply, startEmulator, toBob, verdict } from './start-emulator.ts'

const cases: readonly (readonly [fault: Fault, verdict: string])[] = [
  [{ kind: 'server-error' }, '500 ERR_MISSION_FAILED'],
  [{ kind: 'server-error', status: 503 }, '503 ERR_MISSION_FAILED'],
  [{ kind: 'key-revoked' }, '401 AUTH_ERR_APIKEY_NOT_FOUND'],
  [{ kind: 'key-scope' }, '403 AUTH_ERR_NO_ACCESS'],
  [{ kind: 'rate-limited' }, '429 ERR_TOO_MANY_REQUESTS'],
  [{ kind: 'error', status: 417, code: 'ERR_ALREADY_JOINED' }, '417 ERR_ALREADY_JOINED']
]

for (const [fault, expected] of cases) {
  t.test(`a request is answered ${expected} and nothing is posted unless the fault says so`, async t => {
    const emulator = await startEmulator(t)
    emulator.failNext(fault)
    emulator.failNext({ ...fault, commit: true } as Fault)

    t.equal(verdict(await reply(emulator)), expected)
    t.equal(emulator.ledger.length, 0)
    t.equal(verdict(await reply(emulator)), expected)
    t.equal(emulator.ledger.length, 1)
    t.equal(verdict(await reply(emulator)), '200')
  })
}

for (const status of [500, 502, 503, 504]) {
  t.test(`a gateway answers ${status} with HTML`, async t => {
    const emulator = await startEmulator(t)
    emulator.failNext({ kind: 'server-error', status, format: 'html' })

    const answer = await reply(emulator)

    t.equal(answer.status, status)
    t.equal(answer.headers.get('content-type'), 'text/html')
    t.match(answer.text, /^<html>/)
    t.strictSame(emulator.ledger, [])
  })
}

t.test('a refusal of the key repeats the key in message and devMessage where the switch says so', async t => {
  const emulator = await startEmulator(t, { switches: { keyInErrors: 'repeated' } })
  emulator.failNext({ kind: 'key-scope' })

  const { json } = await reply(emulator)

  t.equal(
    json.error['devMessage'],
    `The ${emulator.apiKey} key does not have enough clearance. To perform the operation, please use the API key with the correct scope.`
  )
  t.match(json.error['message'], emulator.apiKey)
})

t.test('an error is told with its own text and details', async t => {
  const emulator = await startEmulator(t)
  const details = { action: 'do_not_propagate' }
  emulator.failNext({ kind: 'error', status: 400, code: 'ERR_BLOCKED_BY_EXTENSION', message: 'No.', details })

  t.strictSame((await reply(emulator)).json.error, {
    message: 'No.',
    devMessage: 'No.',
    source: 'chat-api',
    details,
    code: 'ERR_BLOCKED_BY_EXTENSION'
  })
})

t.test('a rate limit is told in either dialect, or in none', async t => {
  const emulator = await startEmulator(t, { now: () => 1_625_143_231_000 })
  emulator.failNext({ kind: 'rate-limited', retryAfter: 15 })
  emulator.failNext({ kind: 'rate-limited', retryAfter: 15, dialect: 'X-RateLimit' })
  emulator.failNext({ kind: 'rate-limited', retryAfter: null, dialect: 'none' })
  emulator.failNext({ kind: 'rate-limited', retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' })

  const names = ['retry-after', 'x-rate-limit-reset', 'x-ratelimit-reset', 'x-ratelimit-limit']
  const seen = []
  for (let i = 0; i < 4; i += 1) {
    const { headers } = await reply(emulator)
    seen.push(names.map(name => headers.get(name)))
  }

  t.strictSame(seen, [
    ['15', '1625143246', null, null],
    ['15', null, '1625143246', '500'],
    [null, null, null, null],
    ['Wed, 21 Oct 2026 07:28:00 GMT', '1625143231', null, null]
  ])
})

t.test('an answer is given as it is written', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'answer', status: 202, headers: { 'x-one': ['a', 'b'] }, body: '{}', commit: true })
  emulator.failNext({ kind: 'answer', status: 200, body: Buffer.from([0xff, 0xfe]) })

  const first = await reply(emulator)
  const second = await replyRaw(emulator)

  t.equal(first.status, 202)
  t.equal(first.headers.get('x-one'), 'a, b')
  t.equal(emulator.ledger.length, 1)
  t.match(second.bytes, /\xff\xfe$/)
})

t.test('a status line is written as it is given', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'answer', status: 200, rawStatusLine: 'HTTP/9.9 banana', body: '{}' })

  t.strictSame(await replyRaw(emulator, UNTIL_END_MS), {
    bytes: 'HTTP/9.9 banana\r\ncontent-length: 2\r\nconnection: close\r\ncontent-type: application/json\r\n\r\n{}',
    ended: 'close'
  })
})

for (const [title, bytes] of [
  ['garbage', '\u0000\u0001 no HTTP'],
  ['a folded header', 'HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 2\r\n\r\n{}'],
  ['two framings', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'],
  ['a header flood', `HTTP/1.1 200 OK\r\n${'x-flood: y\r\n'.repeat(5000)}\r\n`]
] as const) {
  t.test(`raw bytes arrive as they are: ${title}`, async t => {
    const emulator = await startEmulator(t)
    emulator.failNext({ kind: 'raw', bytes, commit: true })

    t.strictSame(await replyRaw(emulator, UNTIL_END_MS), { bytes, ended: 'close' })
    t.equal(emulator.ledger.length, 1)
  })
}

t.test('a redirect names its place, and an upgrade is answered that nobody asked for', async t => {
  const emulator = await startEmulator(t, { switches: { dateHeader: false } })
  emulator.failNext({ kind: 'redirect', location: 'http://127.0.0.1:9/steal', status: 308 })
  emulator.failNext({ kind: 'unasked-upgrade' })

  const redirect = await replyRaw(emulator)
  const upgrade = await replyRaw(emulator)

  t.match(redirect.bytes, /^HTTP\/1\.1 308 .*\r\nlocation: http:\/\/127\.0\.0\.1:9\/steal\r\n/)
  t.match(upgrade, { bytes: /^HTTP\/1\.1 101 .*upgrade: websocket/s, ended: 'open' })
  t.strictSame(emulator.ledger, [])
})

t.test('a fault is met even where the request itself would be refused', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'server-error', commit: true })

  t.equal(verdict(await reply(emulator, toBob, { as: 'nobody' })), '500 ERR_MISSION_FAILED')
  t.strictSame(emulator.ledger, [])
})
