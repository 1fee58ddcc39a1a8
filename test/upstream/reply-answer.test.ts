import t from 'tap'
import { createUidMap } from '../../src/auth/uid/uid-map.ts'
import { MARKER_MEMBER } from '../../src/upstream/marker.ts'
import { type ReplyAnswer, readReplyAnswer } from '../../src/upstream/reply-answer.ts'

const uid = createUidMap({ mode: 'verbatim', prefix: '' })({ issuer: 'i', subject: 'alice' })
const marker = 'AAAAAAAAAAAAAAAAAAAAAA'
const expected = { parentId: '100', uid, marker, several: false }

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

function read(envelope: unknown, several = false): ReplyAnswer {
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
    ['a time that is none', { data: message({ sentAt: 'yesterday' }) }, 'contract'],
    ['data that is text', { data: message({ data: 'hello' }) }, 'contract'],
    ['a receiver type nobody knows', { data: message({ receiverType: 'planet' }) }, 'contract']
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

t.test('a broken description still names the message that exists', async t => {
  t.same(read({ data: message({ sentAt: null }) }), { verdict: 'contract', messageId: '102' })
})

t.test('integers of 19 digits survive digit by digit', async t => {
  const text = JSON.stringify({ data: message() })
    .replace('"id":"102"', '"id":9223372036854775807')
    .replace('"sentAt":1', '"sentAt":1,"odd":1234567890123456789')

  const answer = read(text)

  t.match(answer, { verdict: 'bound', messageId: '9223372036854775807' })
  t.match(answer.verdict === 'bound' && answer.body, /"id":9223372036854775807.*"odd":1234567890123456789/)
})

t.test('with several receivers each message of a list must be bound', async t => {
  t.equal(read({ data: [message(), message({ id: '103' })] }, true).verdict, 'bound')
  t.equal(read({ data: [message(), message({ sender: 'mallory' })] }, true).verdict, 'mismatch')
  t.equal(read({ data: [] }, true).verdict, 'unreadable')
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
