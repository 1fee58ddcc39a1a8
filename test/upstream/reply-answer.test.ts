import t from 'tap'
import { createUidMap } from '../../src/auth/uid/uid-map.ts'
import { MARKER_MEMBER } from '../../src/upstream/marker.ts'
import type { AskedReceivers } from '../../src/upstream/receiver-answers.ts'
import { type Expectation, type ReplyAnswer, readReplyAnswer } from '../../src/upstream/reply-answer.ts'

const uid = createUidMap({ mode: 'verbatim', prefix: '' })({ issuer: 'i', subject: 'alice' })
const marker = 'AAAAAAAAAAAAAAAAAAAAAA'
const expected = { parentId: '100', uid, marker, several: false } as const

function message(change: object = {}, metadata: object | undefined = { [MARKER_MEMBER]: marker }) {
  return {
    id: '102',
    sender: 'alice',
    receiver: 'bob',
    receiverType: 'user',
    category: 'message',
    type: 'text',
    data: { text: 'hello', ...(metadata && { metadata }) },
    sentAt: 1,
    parentId: '100',
    ...change
  }
}

/** What was asked for where several receivers are. */
const SEVERAL: AskedReceivers = {
  own: { receiver: 'bob', receiverType: 'user' },
  uids: ['Carol', 'dave'],
  guids: ['team']
}

function read(envelope: unknown, several: Expectation['several'] = false): ReplyAnswer {
  const text = typeof envelope === 'string' ? envelope : JSON.stringify(envelope)
  return readReplyAnswer(Buffer.from(text), { ...expected, several })
}

t.test('only an answer about this thread, this user and this reply is a success', async t => {
  const cases: [title: string, envelope: unknown, verdict: ReplyAnswer['verdict']][] = [
    ['the message', { data: message() }, 'bound'],
    ['ids as numbers', { data: message({ id: 102, parentId: 100 }) }, 'bound'],
    ['members nobody knows', { data: message({ brandNew: { a: 1 } }) }, 'bound'],
    ['no metadata echoed', { data: message({}, undefined) }, 'bound'],
    ['another sender', { data: message({ sender: 'mallory' }) }, 'mismatch'],
    ['another thread', { data: message({ parentId: '101' }) }, 'mismatch'],
    ['the marker of another reply', { data: message({}, { [MARKER_MEMBER]: 'B'.repeat(22) }) }, 'mismatch'],
    ['no sender', { data: message({ sender: undefined }) }, 'unreadable'],
    ['no thread', { data: message({ parentId: undefined }) }, 'unreadable'],
    ['an error inside a success', { error: { code: 'ERR_BAD_REQUEST' } }, 'unreadable'],
    ['an error beside the data', { data: message(), error: {} }, 'unreadable'],
    ['a list where one message was sent', { data: [message()] }, 'unreadable'],
    ['half of it', '{"data":{"id":"10', 'unreadable'],
    ['HTML', '<html>', 'unreadable'],
    ['nothing', '', 'unreadable'],
    ['null', 'null', 'unreadable'],
    ['no id', { data: message({ id: undefined }) }, 'contract'],
    ['a parent that is none: 0', { data: message({ parentId: 0 }) }, 'unreadable'],
    ['a parent that is none: "0"', { data: message({ parentId: '0' }) }, 'unreadable'],
    ['a parent that is none: ""', { data: message({ parentId: '' }) }, 'unreadable'],
    ['a parent that is none: null', { data: message({ parentId: null }) }, 'unreadable'],
    ['a byte order mark', `\ufeff${JSON.stringify({ data: message() })}`, 'bound'],
    ['a time that is none', { data: message({ sentAt: 'yesterday' }) }, 'bound'],
    ['data that is text', { data: message({ data: 'hello' }) }, 'bound'],
    ['a receiver type nobody knows', { data: message({ receiverType: 'planet' }) }, 'bound']
  ]
  for (const [title, envelope, verdict] of cases) t.equal(read(envelope).verdict, verdict, title)
})

t.test('invalid UTF-8 is not an answer', async t => {
  const bytes = Buffer.concat([Buffer.from('{"data":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])

  t.equal(readReplyAnswer(bytes, expected).verdict, 'unreadable')
})

t.test('the marker is taken out, and with it the metadata that only carried it', async t => {
  const alone = read({ data: message() })
  const beside = read({ data: message({}, { a: 1, [MARKER_MEMBER]: marker }) })

  t.same(JSON.parse(alone.verdict === 'bound' ? alone.body : '').data.data, { text: 'hello' })
  t.same(JSON.parse(beside.verdict === 'bound' ? beside.body : '').data.data.metadata, { a: 1 })
})

t.test('members that nothing depends on may be anything; those that are not as documented are named', async t => {
  const names = ['conversationId', 'sentAt', 'updatedAt', 'muid', 'tags'] as const
  for (const name of names) {
    for (const value of [null, 1.5, undefined, []]) {
      const answer = read({ data: message({ [name]: value }) })
      t.match(answer, { verdict: 'bound', messageId: '102' }, `${name} ${value}`)
    }
    t.same(deviations({ [name]: null }), [name])
  }
  t.same(deviations({}), [])
  t.same(deviations({ brandNew: 1, tags: 7, sentAt: undefined }), ['sentAt', 'tags'])
})

const deviations = (change: object) => {
  const answer = read({ data: message(change) })
  return answer.verdict === 'bound' ? answer.deviations : answer.verdict
}

t.test('integers of 19 digits survive digit by digit', async t => {
  const text = JSON.stringify({ data: message() })
    .replace('"id":"102"', '"id":9223372036854775807')
    .replace('"sentAt":1', '"sentAt":1,"odd":1234567890123456789')

  const answer = read(text)

  t.match(answer, { verdict: 'bound', messageId: '9223372036854775807' })
  t.match(answer.verdict === 'bound' && answer.body, /"id":9223372036854775807.*"odd":1234567890123456789/)
})

const to = (receiver: string, id: string, change: object = {}) =>
  message({ id, receiver, parentId: undefined, ...change })
const ok = (receiver: string, id: string) => ({ success: true, data: to(receiver, id) })
const no = (code: string) => ({ success: false, error: { code, message: 'x' } })
const ALL = { uids: { carol: ok('carol', '103'), dave: ok('dave', '104') }, guids: { team: ok('team', '105') } }

t.test('an answer for each receiver is judged as a whole', async t => {
  const cases: [title: string, data: unknown, verdict: ReplyAnswer['verdict']][] = [
    ['all were sent', ALL, 'bound'],
    ['the thread itself is answered for, too', { ...ALL, uids: { ...ALL.uids, bob: ok('bob', '102') } }, 'bound'],
    ['one was refused for certain', { ...ALL, guids: { team: no('ERR_GUID_NOT_FOUND') } }, 'bound'],
    ['the message itself is the value', { ...ALL, guids: { team: to('team', '105') } }, 'bound'],
    ['names alone', { carol: ok('carol', '103'), dave: ok('dave', '104'), team: ok('team', '105') }, 'bound'],
    ['a receiver is missing', { uids: ALL.uids }, 'unreadable'],
    ['a server fault', { ...ALL, guids: { team: no('ERR_EXCEPTION') } }, 'unreadable'],
    ['a code that nobody knows', { ...ALL, guids: { team: no('ERR_OF_NEXT_YEAR') } }, 'unreadable'],
    ['an error without a code', { ...ALL, guids: { team: { success: false, error: {} } } }, 'unreadable'],
    ['no success and no reason', { ...ALL, guids: { team: { success: false } } }, 'unreadable'],
    [
      'a success with an error',
      { ...ALL, guids: { team: { success: true, error: { code: 'ERR_GUID_NOT_FOUND' } } } },
      'unreadable'
    ],
    [
      'an error with a message',
      { ...ALL, guids: { team: { ...ok('team', '105'), ...no('ERR_GUID_NOT_FOUND'), data: to('team', '105') } } },
      'unreadable'
    ],
    ['nothing', { ...ALL, guids: { team: null } }, 'unreadable'],
    ['nobody', { uids: {} }, 'unreadable'],
    ['a receiver nobody asked for', { ...ALL, uids: { ...ALL.uids, erin: ok('erin', '106') } }, 'mismatch'],
    ['a user in the place of a group', { ...ALL, guids: { ...ALL.guids, dave: ok('dave', '104') } }, 'mismatch'],
    [
      'another sender',
      { ...ALL, guids: { team: { success: true, data: to('team', '1', { sender: 'mallory' }) } } },
      'mismatch'
    ],
    [
      'another thread',
      { ...ALL, guids: { team: { success: true, data: to('team', '1', { parentId: '7' }) } } },
      'mismatch'
    ],
    [
      'no id at the first',
      { ...ALL, uids: { ...ALL.uids, carol: { success: true, data: to('carol', 'x') } } },
      'contract'
    ],
    [
      'all were refused',
      {
        uids: { carol: no('ERR_UID_NOT_FOUND'), dave: no('ERR_BLOCKED_RECEIVER') },
        guids: { team: no('ERR_GROUP_NOT_JOINED') }
      },
      'refused'
    ]
  ]
  for (const [title, data, verdict] of cases) t.equal(read({ data }, SEVERAL).verdict, verdict, title)
  t.equal(read({ data: ALL }).verdict, 'unreadable', 'and is no answer to a reply to one')
})

t.test('what was sent is told for each receiver, and what failed', async t => {
  const answer = read(
    {
      data: {
        ...ALL,
        guids: { team: no('ERR_GROUP_NOT_JOINED') },
        uids: { ...ALL.uids, dave: no('ERR_BLOCKED_RECEIVER') }
      }
    },
    SEVERAL
  )

  t.match(answer, { verdict: 'bound', messageId: '103' })
  const told = JSON.parse(answer.verdict === 'bound' ? answer.body : '')
  t.match(told, {
    data: { id: '103', receiver: 'carol' },
    receivers: [{ receiver: 'Carol', receiverType: 'user', data: { id: '103' } }],
    failed: [
      { receiver: 'dave', code: 'ERR_BLOCKED_RECEIVER' },
      { receiver: 'team', code: 'thread-not-found' }
    ]
  })
  t.equal(told.receivers.length, 1)
  t.notMatch(JSON.stringify(told), MARKER_MEMBER)
})

t.test('with several receivers each message of a list must be bound, and each receiver in it', async t => {
  const list = [to('carol', '103'), to('dave', '104'), to('team', '105', { receiverType: 'group' })]
  t.equal(read({ data: list }, SEVERAL).verdict, 'bound')
  t.equal(read({ data: list.slice(1) }, SEVERAL).verdict, 'unreadable')
  t.equal(read({ data: [...list.slice(1), to('carol', '103', { sender: 'mallory' })] }, SEVERAL).verdict, 'mismatch')
  t.equal(read({ data: [] }, SEVERAL).verdict, 'unreadable')
})

t.test('members named as parts of JavaScript objects are members like any other, and change no object', async t => {
  const own = JSON.stringify(message())
  const into = (text: string, members: string): string => text.replace('{', `{${members},`)
  const evil = '"__proto__":{"polluted":1,"sender":"mallory","error":{}},"constructor":{"prototype":{"polluted":1}}'
  const names = `${evil},"toString":1,"hasOwnProperty":null,"toJSON":"x","rawJSON":"1"`
  // The second reading is another one: it keeps the digits of long integers.
  for (const digits of ['', '"long":12345678901234567890,']) {
    const members = `${digits}${names}`
    const inMessage = into(own, members)
    const cases: [title: string, text: string][] = [
      ['in the envelope', into(`{"data":${own}}`, members)],
      ['in the message', `{"data":${inMessage}}`],
      ['in its data', `{"data":${own.replace('"data":{', `"data":{${members},`)}}`],
      ['in its metadata', `{"data":${own.replace('"metadata":{', `"metadata":{${members},`)}}`]
    ]
    for (const [title, text] of cases) {
      const answer = read(text)

      t.match(answer, { verdict: 'bound', messageId: '102' }, `${title} ${digits}`)
      const body = answer.verdict === 'bound' ? answer.body : ''
      t.ok(body.includes(names) && body.includes(digits), 'and are told as they came')
      t.notMatch(body, MARKER_MEMBER)
    }
  }
  t.equal(Reflect.get({}, 'polluted'), undefined)
  t.equal(Reflect.get(Object, 'polluted'), undefined)
})

t.test('what CometChat puts into a prototype is not inherited: it binds nothing and hides nothing', async t => {
  const { sender, parentId, ...rest } = message()
  const nested = (inherited: object, members: object): string =>
    JSON.stringify({ data: members }).replace('{"data":{', `{"data":{"__proto__":${JSON.stringify(inherited)},`)
  const cases: [title: string, text: string, verdict: ReplyAnswer['verdict']][] = [
    ['sender and thread', nested({ sender, parentId }, rest), 'unreadable'],
    ['another sender', nested({ sender: 'mallory' }, message()), 'bound'],
    ['the whole message', `{"__proto__":${JSON.stringify({ data: message() })}}`, 'unreadable'],
    ['the id', nested({ id: '102' }, message({ id: undefined })), 'contract'],
    ['nothing but a prototype', '{"data":{"__proto__":null}}', 'unreadable'],
    ['a prototype that is no object', '{"__proto__":7,"constructor":8}', 'unreadable'],
    ['a message of prototypes', '{"data":{"__proto__":{"__proto__":{"__proto__":{}}},"constructor":[]}}', 'unreadable']
  ]

  for (const [title, text, verdict] of cases) t.equal(read(text).verdict, verdict, title)
})
