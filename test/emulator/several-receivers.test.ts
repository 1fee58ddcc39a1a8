import t from 'tap'
import { reply, startEmulator, toBob, verdict } from './start-emulator.ts'

const several = (uids: readonly string[], guids: readonly string[] = []) => ({
  data: toBob.data,
  multipleReceivers: { uids, guids }
})

t.test('each receiver is answered for by name, and each gets a message of the thread', async t => {
  const emulator = await startEmulator(t)

  const { json } = await reply(emulator, several(['bob', 'carol'], ['team']))

  t.match(json.data, {
    uids: {
      bob: { success: true, data: { receiver: 'bob', sender: 'alice', parentId: '100' } },
      carol: { success: true, data: { receiver: 'carol' } }
    },
    guids: { team: { success: true, data: { receiver: 'team', receiverType: 'group' } } }
  })
  t.strictSame(Object.keys(json.data), ['uids', 'guids'])
  t.strictSame(
    emulator.ledger.map(({ message }) => message.receiver),
    ['bob', 'carol', 'team']
  )
})

t.test('one receiver may fail alone, with the code of its own refusal', async t => {
  const emulator = await startEmulator(t)
  emulator.block('carol', 'alice')

  const answer = await reply(emulator, several(['bob', 'nobody', 'carol'], ['nogroup']))

  t.equal(answer.status, 200)
  t.match(answer.json.data, {
    uids: {
      bob: { success: true, data: { receiver: 'bob' } },
      nobody: { success: false, error: { code: 'ERR_UID_NOT_FOUND', source: 'chat-api' } },
      carol: { success: false, error: { code: 'ERR_BLOCKED_SENDER' } }
    },
    guids: { nogroup: { success: false, error: { code: 'ERR_GUID_NOT_FOUND' } } }
  })
  t.strictSame(
    emulator.ledger.map(({ message }) => message.receiver),
    ['bob']
  )
})

t.test('all receivers may fail: nothing is posted, and the status is 200 all the same', async t => {
  const emulator = await startEmulator(t)

  const answer = await reply(emulator, several(['nobody', 'noone']))

  t.equal(answer.status, 200)
  t.match(answer.json.data, { uids: { nobody: { success: false }, noone: { success: false } } })
  t.strictSame(emulator.ledger, [])
})

t.test('the receiver beside them stands among them, once', async t => {
  const emulator = await startEmulator(t)

  const { json } = await reply(emulator, { ...toBob, ...several(['carol', 'bob']) })

  t.strictSame(Object.keys(json.data['uids'] as object), ['bob', 'carol'])
  t.equal(emulator.ledger.length, 2)
})

t.test('a single entry is answered by name, too; no entry is a plain reply', async t => {
  const emulator = await startEmulator(t)

  t.match((await reply(emulator, several(['bob']))).json.data, { uids: { bob: { success: true } } })
  t.match((await reply(emulator, { ...toBob, ...several([]) })).json.data, { receiver: 'bob' })
})

t.test('the message itself can stand in the place of success and data', async t => {
  const emulator = await startEmulator(t, { switches: { multipleReceivers: 'per-receiver-bare' } })

  t.match((await reply(emulator, several(['bob', 'nobody']))).json.data, {
    uids: { bob: { receiver: 'bob', parentId: '100' }, nobody: { error: { code: 'ERR_UID_NOT_FOUND' } } }
  })
})

t.test('an extension or a webhook refuses one receiver, a server fault another, and one is left out', async t => {
  const emulator = await startEmulator(t, {
    beforeSend: ({ receiver }) => (receiver === 'carol' ? 'webhook' : undefined)
  })
  emulator.failNext({
    kind: 'receiver-answers',
    errors: { bob: 'ERR_MISSION_FAILED' },
    missing: ['dave'],
    added: ['mallory']
  })

  const { json } = await reply(emulator, several(['alice', 'bob', 'carol', 'dave']))

  t.match(json.data, {
    uids: {
      alice: { success: true },
      bob: { success: false, error: { code: 'ERR_MISSION_FAILED' } },
      carol: { success: false, error: { code: 'ERR_BLOCKED_BY_WEBHOOK' } },
      mallory: { success: true, data: { receiver: 'mallory' } }
    }
  })
  t.notOk('dave' in (json.data['uids'] as object))
  t.strictSame(
    emulator.ledger.map(({ message }) => message.receiver),
    ['alice', 'bob', 'dave'],
    'what is told of them is not what became of them'
  )
})

t.test('a user with too few messages left in the minute is refused for all', async t => {
  const emulator = await startEmulator(t, { switches: { userMessagesPerMinute: 1 } })

  t.equal(verdict(await reply(emulator, several(['bob', 'carol']))), '429 ERR_TOO_MANY_REQUESTS')
  t.strictSame(emulator.ledger, [])
})
