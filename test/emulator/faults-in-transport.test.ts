import { gunzipSync } from 'node:zlib'
import t from 'tap'
import type { Fault } from '../../emulator/faults.ts'
import { connectRaw, type Ended, patienceFor, replyBytes, replyRaw, UNTIL_END_MS } from './raw-client.ts'
import { reply, startEmulator } from './start-emulator.ts'

const bodyOf = (bytes: string): string => bytes.slice(bytes.indexOf('\r\n\r\n') + 4)
const lengthOf = (bytes: string): number => Number(/content-length: (\d+)/i.exec(bytes)?.[1])
const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

interface Expected {
  readonly ended: Ended
  readonly holds: RegExp
  readonly bodyBytes: 'none' | 'some' | 'unknown'
}

const cases: readonly (readonly [fact: string, fault: Fault, expected: Expected])[] = [
  [
    'stops after the headers',
    { kind: 'stall-after-headers' },
    { ended: 'open', holds: /content-length/, bodyBytes: 'none' }
  ],
  ['stops in the body', { kind: 'stall-in-body' }, { ended: 'open', holds: /content-length/, bodyBytes: 'some' }],
  [
    'drips its body',
    { kind: 'drip-body', everyMs: 1, bytes: 2 },
    { ended: 'open', holds: /content-length/, bodyBytes: 'some' }
  ],
  ['is cut by FIN', { kind: 'half-body' }, { ended: 'close', holds: /content-length/, bodyBytes: 'some' }],
  [
    'is cut by RST',
    { kind: 'half-body', ending: 'reset' },
    { ended: 'reset', holds: /content-length/, bodyBytes: 'some' }
  ],
  ['loses its last chunk', { kind: 'truncated-chunked' }, { ended: 'close', holds: /chunked/, bodyBytes: 'unknown' }],
  [
    'loses its last chunk to RST',
    { kind: 'truncated-chunked', ending: 'reset' },
    { ended: 'reset', holds: /chunked/, bodyBytes: 'unknown' }
  ],
  [
    'is delimited by close and cut',
    { kind: 'close-delimited-half' },
    { ended: 'close', holds: /connection: close/, bodyBytes: 'unknown' }
  ]
]

for (const [fact, fault, expected] of cases) {
  t.test(`an answer that ${fact} has its message posted`, async t => {
    const emulator = await startEmulator(t)
    emulator.failNext(fault)

    const { bytes, ended } = await replyRaw(emulator, patienceFor(expected.ended))

    t.match(bytes, /^HTTP\/1\.1 200 /)
    t.match(bytes, expected.holds)
    t.equal(ended, expected.ended)
    t.notOk(isJson(bodyOf(bytes)))
    if (expected.bodyBytes === 'none') t.equal(bodyOf(bytes), '')
    if (expected.bodyBytes === 'some') t.ok(bodyOf(bytes).length > 0 && bodyOf(bytes).length < lengthOf(bytes))
    t.equal(emulator.ledger.length, 1)
  })
}

t.test('the same faults can leave the message unposted', async t => {
  const emulator = await startEmulator(t)
  for (const [, fault] of cases) emulator.failNext({ ...fault, commit: false } as Fault)

  for (const _ of cases) await replyRaw(emulator, 40)

  t.strictSame(emulator.ledger, [])
  t.equal(emulator.pendingFaults, 0)
})

t.test('dripped headers arrive byte by byte', async t => {
  const emulator = await startEmulator(t, { switches: { dateHeader: false } })
  emulator.failNext({ kind: 'drip-headers', everyMs: 5, bytes: 1 })

  const { bytes, ended } = await replyRaw(emulator, 60)

  t.ok(bytes.length > 0 && 'HTTP/1.1 200 X\r\ncontent-type: application/json'.startsWith(bytes), bytes)
  t.equal(ended, 'open')
})

t.test('a dripped answer is whole in the end', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'drip-headers', everyMs: 1, bytes: 100 })
  emulator.failNext({ kind: 'drip-body', everyMs: 1, bytes: 100 })

  t.match((await reply(emulator)).json.data, { id: emulator.ledger[0]?.id })
  t.match((await reply(emulator)).json.data, { id: emulator.ledger[1]?.id })
})

t.test('an answer is zipped although nobody asked for it', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'gzip' })

  const { bytes } = await replyRaw(emulator)

  t.match(bytes, /content-encoding: gzip/)
  const body = gunzipSync(Buffer.from(bodyOf(bytes), 'latin1')).toString()
  t.match(JSON.parse(body), { data: { id: emulator.ledger[0]?.id } })
})

t.test('many hints come before the answer', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'early-hints', count: 70 })

  const { bytes } = await replyRaw(emulator)

  t.equal(bytes.match(/HTTP\/1\.1 103 /g)?.length, 70)
  t.equal(bytes.match(/HTTP\/1\.1 200 /g)?.length, 1)
})

t.test('a delayed answer is posted at once and answered later', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'delay', delayMs: 60 })

  const answering = reply(emulator)
  while (emulator.requests.length === 0 || emulator.ledger.length === 0) await new Promise(setImmediate)
  t.notOk('status' in (emulator.requests[0] ?? {}))

  t.equal((await answering).status, 200)
})

for (const [ending, ended] of [
  ['close', 'close'],
  ['reset', 'reset']
] as const) {
  t.test(`a connection ends by ${ending} while idle after a good answer`, async t => {
    const emulator = await startEmulator(t)
    emulator.failNext({ kind: 'close-after-answer', ending })

    const { bytes, ended: seen } = await replyRaw(emulator, UNTIL_END_MS)

    t.match(JSON.parse(bodyOf(bytes)), { data: { id: emulator.ledger[0]?.id } })
    t.match(bytes, /connection: keep-alive/i)
    t.equal(seen, ended)
  })
}

t.test('an extra answer comes in the same write as the real one', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'extra-answer', when: 'same-write' })
  const client = connectRaw(emulator)
  let writes = 0
  client.socket.on('data', () => {
    writes += 1
  })
  client.send(replyBytes(emulator))

  const { bytes } = await client.seen()

  t.equal(writes, 1)
  const [, real = '', extra = ''] = bytes.split('HTTP/1.1 ')
  t.match(JSON.parse(bodyOf(real)), { data: { sender: 'alice' } })
  t.match(JSON.parse(bodyOf(extra)), { data: { sender: 'somebody-else' } })
})

t.test('an extra answer comes while the connection is idle', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'extra-answer', when: 'idle', body: '{"data":{"id":"7"}}' })

  const { bytes } = await replyRaw(emulator, 1000)

  t.match(bytes, /\{"data":\{"id":"7"\}\}$/)
  t.equal(emulator.ledger.length, 1)
})

t.test('an extra answer comes when the next request has arrived, before its own', async t => {
  const emulator = await startEmulator(t)
  emulator.failNext({ kind: 'extra-answer', when: 'next-request', body: '{"data":{"id":"7"}}' })
  const client = connectRaw(emulator)

  client.send(replyBytes(emulator))
  const first = await client.seen()
  client.send(replyBytes(emulator))
  const second = (await client.seen()).bytes.slice(first.bytes.length)

  t.equal(first.bytes.match(/HTTP\/1\.1 200/g)?.length, 1)
  const [, extra = '', own = ''] = second.split('HTTP/1.1 ')
  t.equal(bodyOf(extra), '{"data":{"id":"7"}}')
  t.match(JSON.parse(bodyOf(own)), { data: { id: emulator.ledger[1]?.id } })
})
