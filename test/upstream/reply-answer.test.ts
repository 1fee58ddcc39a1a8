import t from 'tap'
import { createUidMap } from '../../src/auth/uid-map.ts'
import { MARKER_MEMBER, type ReplyAnswer, readReplyAnswer } from '../../src/upstream/reply-answer.ts'

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
