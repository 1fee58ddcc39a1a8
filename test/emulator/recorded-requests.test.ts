// Every recorded body, as clients write it: what the emulator makes of it. What is refused, the real one has a code for.
import t from 'tap'
import { recording, recordingNames } from './recordings.ts'
import { call, startEmulator, verdict } from './start-emulator.ts'

type Body = Readonly<Record<string, unknown>>

const SDK = 'sdk-4.2.0-bodies'
const sdkBodies = Object.entries(recording('requests', SDK) as Readonly<Record<string, Body>>)
const bodies: readonly (readonly [name: string, body: Body])[] = [
  ...recordingNames('requests')
    .filter(name => name !== SDK)
    .map(name => [name, recording('requests', name) as Body] as const),
  ...sdkBodies.map(([name, body]) => [`${SDK}/${name}`, body] as const)
]

const REFUSED: Readonly<Record<string, string>> = {
  'customdata-array': '400 ERR_INVALID_CUSTOM_DATA',
  'customdata-empty': '400 ERR_EMPTY_CUSTOM_DATA',
  'metadata-array': '400 ERR_INVALID_METADATA',
  'metadata-null': '400 ERR_INVALID_METADATA',
  'metadata-string': '400 ERR_INVALID_METADATA',
  'receiver-number': '400 ERR_EMPTY_RECEIVER',
  'text-number': '400 ERR_INVALID_MESSAGE_TEXT',
  'type-custom-in-message': '400 ERR_INVALID_MESSAGE_TYPE'
}

for (const [name, body] of bodies) {
  const expected = REFUSED[name] ?? '200'
  t.test(`the body ${name} is answered ${expected}`, async t => {
    const emulator = await startEmulator(t)
    const { receiver = 'bob', receiverType = 'user', multipleReceivers } = body
    const { uids = [], guids = [] } = (multipleReceivers ?? {}) as { uids?: string[]; guids?: string[] }
    for (const uid of uids) emulator.addUser({ uid })
    for (const guid of guids) emulator.addGroup({ guid, members: ['alice'] })
    const to = String(receiver)
    if (receiverType === 'group') emulator.addGroup({ guid: to, members: ['alice'] })
    else emulator.addUser({ uid: to })
    const isGroup = receiverType === 'group'
    const parent = isGroup
      ? ({ sender: 'alice', receiver: to, receiverType: 'group' } as const)
      : ({ sender: to, receiver: 'alice', receiverType: 'user' } as const)
    emulator.addMessage({ ...parent, id: '500' })

    const answer = await call(emulator, '/messages/500/thread', { as: 'alice', body })

    t.equal(verdict(answer), expected)
    if (expected !== '200') return
    t.match(emulator.ledger.at(-1)?.message.data, body['data'], 'data is stored as it came')
    t.equal(emulator.ledger.at(-1)?.message.muid, body['muid'] ?? null)
  })
}

t.test('every refused body is one of the recorded ones', t => {
  const names = bodies.map(([name]) => name)
  t.strictSame(
    Object.keys(REFUSED).filter(name => !names.includes(name)),
    []
  )
  t.equal(sdkBodies.length, 8)
  t.end()
})
