import t from 'tap'
import { call, reply, startEmulator, toBob, verdict } from './start-emulator.ts'

const withData = (data: unknown, more: object = {}) => ({ ...toBob, data, ...more })
const url = 'https://files.example/a.png'

const refused: readonly (readonly [title: string, body: unknown, code: string])[] = [
  ['that is not JSON', '{"receiver":', 'ERR_BAD_REQUEST'],
  ['that is empty', '', 'ERR_BAD_REQUEST'],
  ['that is a list', '[]', 'ERR_BAD_REQUEST'],
  ['without a receiver', { ...toBob, receiver: undefined }, 'ERR_EMPTY_RECEIVER'],
  ['with an empty receiver', { ...toBob, receiver: '' }, 'ERR_EMPTY_RECEIVER'],
  ['without receiver and receiverType', { data: toBob.data }, 'ERR_EMPTY_RECEIVER'],
  ['without a receiverType', { ...toBob, receiverType: undefined }, 'ERR_INVALID_RECEIVER_TYPE'],
  ['with another receiverType', { ...toBob, receiverType: 'room' }, 'ERR_INVALID_RECEIVER_TYPE'],
  ['with an empty category', { ...toBob, category: '' }, 'ERR_EMPTY_MESSAGE_CATEGORY'],
  ['with another category', { ...toBob, category: 'call' }, 'ERR_INVALID_MESSAGE_CATEGORY'],
  ['with a quotedMessageId that is no number', { ...toBob, quotedMessageId: 'x' }, 'ERR_BAD_REQUEST'],
  ['with a quotedMessageId of 0', { ...toBob, quotedMessageId: 0 }, 'ERR_BAD_REQUEST'],
  ['with an empty type', { ...toBob, type: '' }, 'ERR_EMPTY_MESSAGE_TYPE'],
  ['with another type', { ...toBob, type: 'poem' }, 'ERR_INVALID_MESSAGE_TYPE'],
  ['without data', withData(undefined), 'ERR_INVALID_MESSAGE_DATA'],
  ['with data that is text', withData('Hi'), 'ERR_INVALID_MESSAGE_DATA'],
  ['without text', withData({}), 'ERR_EMPTY_MESSAGE_TEXT'],
  ['with empty text', withData({ text: '' }), 'ERR_EMPTY_MESSAGE_TEXT'],
  ['with text that is a number', withData({ text: 5 }), 'ERR_INVALID_MESSAGE_TEXT'],
  ['with metadata that is text', withData({ text: 'Hi', metadata: 'x' }), 'ERR_INVALID_METADATA'],
  ['of media without a file', withData({ text: 'caption' }, { type: 'image' }), 'ERR_EMPTY_MESSAGE_FILE'],
  ['of media without a url', withData({ attachments: [{}] }, { type: 'image' }), 'ERR_INVALID_MEDIA_MESSAGE'],
  ['of media with an odd list', withData({ url, attachments: {} }, { type: 'image' }), 'ERR_INVALID_MEDIA_MESSAGE'],
  ['of custom without customData', withData({}, { category: 'custom' }), 'ERR_EMPTY_CUSTOM_DATA'],
  ['of custom with nothing in it', withData({ customData: {} }, { category: 'custom' }), 'ERR_EMPTY_CUSTOM_DATA'],
  ['of custom with text', withData({ customData: 'x' }, { category: 'custom' }), 'ERR_INVALID_CUSTOM_DATA'],
  ['with 26 tags', { ...toBob, tags: Array.from({ length: 26 }, String) }, 'ERR_BAD_REQUEST'],
  ['with a tag of 101 characters', { ...toBob, tags: ['x'.repeat(101)] }, 'ERR_BAD_REQUEST'],
  ['with tags that are numbers', { ...toBob, tags: [1] }, 'ERR_BAD_REQUEST'],
  ['with a muid that is a number', { ...toBob, muid: 1 }, 'ERR_BAD_REQUEST'],
  ['with multipleReceivers as a list', { ...toBob, multipleReceivers: ['bob'] }, 'ERR_BAD_REQUEST'],
  ['with 70,000 characters', withData({ text: 'x'.repeat(70_000) }), 'ERR_BAD_REQUEST'],
  [
    'with 11 mentions',
    withData({ text: Array.from({ length: 11 }, (_, i) => `<@uid:u${i}>`).join(' ') }),
    'ERR_BAD_REQUEST'
  ]
]

for (const [title, body, code] of refused) {
  t.test(`a reply ${title} is refused with 400 ${code}`, async t => {
    const emulator = await startEmulator(t)

    t.equal(verdict(await reply(emulator, body)), `400 ${code}`)
    t.strictSame(emulator.ledger, [])
  })
}

const accepted: readonly (readonly [title: string, body: unknown])[] = [
  ['without category and type', toBob],
  ['with unknown members', { ...toBob, deviceId: 'x', quotedMessageId: 7 }],
  ['with 25 tags of 100 characters', { ...toBob, tags: Array.from({ length: 25 }, () => '🦄'.repeat(100)) }],
  ['with 9,000 characters', withData({ text: 'x'.repeat(9000) })],
  ['with 40,000 characters beyond the basic plane', withData({ text: '🦄'.repeat(40_000) })]
]

for (const [title, body] of accepted) {
  t.test(`a reply ${title} is accepted`, async t => {
    const emulator = await startEmulator(t)

    t.equal(verdict(await reply(emulator, body)), '200')
  })
}

t.test('an interactive message is accepted outside a thread', async t => {
  const emulator = await startEmulator(t)
  const body = { ...toBob, category: 'interactive', type: 'form', data: { interactiveData: {} } }

  t.equal(verdict(await call(emulator, '/messages', { as: 'alice', body })), '200')
})

t.test('a message to an unknown user or group is refused with 404', async t => {
  const emulator = await startEmulator(t)
  const send = (body: unknown) => call(emulator, '/messages', { as: 'alice', body })

  t.equal(verdict(await send({ ...toBob, receiver: 'nobody' })), '404 ERR_UID_NOT_FOUND')
  t.equal(verdict(await send({ ...toBob, receiver: 'nogroup', receiverType: 'group' })), '404 ERR_GUID_NOT_FOUND')
})
