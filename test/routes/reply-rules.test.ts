import t from 'tap'
import type { ReplyBody } from '../../src/routes/replies-schemas.ts'
import { lengthViolations, ruleViolations } from '../../src/routes/reply-rules.ts'

const MAX_CHARACTERS = 65_536

/** A text message without a violation, with changes. */
const bodyOf = (changes: Partial<ReplyBody> = {}): ReplyBody => ({
  category: 'message',
  type: 'text',
  data: { text: 'hello' },
  ...changes
})
const media = (data: ReplyBody['data'], type = 'image'): ReplyBody => bodyOf({ type, data })
const attachment = (url: string) => ({ url, name: 'a.png', mimeType: 'image/png', extension: 'png' })
const USUAL = ['message', 'custom']
const found = (body: ReplyBody, multipleReceiversMax = 2, categories: readonly string[] = USUAL): string[] =>
  ruleViolations(body, { multipleReceiversMax, categories }).map(({ code, pointer }) => `${code} ${pointer}`)

/** A message of so many UTF-16 units, `pairs` of which are one character with the next. */
function messageOf(units: number, pairs = 0): ReplyBody {
  const rest = units - JSON.stringify(bodyOf({ data: { text: '' } })).length - 2 * pairs
  return bodyOf({ data: { text: 'x'.repeat(rest) + '\u{1f600}'.repeat(pairs) } })
}

t.test('a message has at most 65,536 characters, and a pair of surrogates is one of them', async t => {
  const lengthOf = (body: ReplyBody): string[] =>
    lengthViolations(body, Buffer.byteLength(JSON.stringify(body))).map(({ code, pointer }) => `${code} ${pointer}`)

  for (const [units, pairs, expected] of [
    [MAX_CHARACTERS, 0, []],
    [MAX_CHARACTERS + 1, 0, ['too-long ']],
    [MAX_CHARACTERS + 1, 1, []],
    [MAX_CHARACTERS + 20_000, 20_000, []],
    [MAX_CHARACTERS + 20_001, 20_000, ['too-long ']],
    [2 * MAX_CHARACTERS - 200, MAX_CHARACTERS - 200, []]
  ] as const) {
    const body = messageOf(units, pairs)
    t.equal(JSON.stringify(body).length, units)
    t.same(lengthOf(body), expected, `${units} units, ${pairs} pairs`)
  }
})

t.test('the length counts however few bytes a message took on the wire', async t => {
  t.same(lengthViolations(messageOf(MAX_CHARACTERS + 1), 11_000).length, 1, 'its numbers may have grown sixfold')
  t.same(lengthViolations(messageOf(MAX_CHARACTERS + 1), Number.POSITIVE_INFINITY).length, 1, 'in chunks')
  t.same(lengthViolations(bodyOf(), Number.POSITIVE_INFINITY), [])
})

t.test('a receiver and its type come together or not at all', async t => {
  t.same(found(bodyOf({ receiver: 'bob', receiverType: 'user' })), [])
  t.same(found(bodyOf({ receiver: 'bob' })), ['missing /receiverType'])
  t.same(found(bodyOf({ receiverType: 'group' })), ['missing /receiver'])
})

t.test('several receivers count together, and can be switched off', async t => {
  t.same(found(bodyOf({ multipleReceivers: { uids: ['a'], guids: ['b'] } })), [])
  t.same(found(bodyOf({ multipleReceivers: { uids: ['a', 'b'], guids: ['c'] } })), ['too-many /multipleReceivers'])
  t.same(found(bodyOf({ multipleReceivers: { uids: ['a', 'b', 'c'] } })), ['too-many /multipleReceivers'])
  t.same(found(bodyOf({ multipleReceivers: {} }), 0), ['not-allowed /multipleReceivers'])
})

t.test('a text message has text and nothing of the other kinds', async t => {
  t.same(found(bodyOf({ data: {} })), ['missing /data/text'])
  t.same(found(bodyOf({ data: { text: '' } })), ['too-short /data/text'])
  t.same(found(bodyOf({ data: { text: 'a', url: 'https://a.test', customData: { a: 1 } } })), [
    'not-allowed /data/customData',
    'not-allowed /data/url'
  ])
  t.same(found(bodyOf({ data: { text: 'a', attachments: [attachment('https://a.test')] } })), [
    'not-allowed /data/attachments'
  ])
})

t.test('a media message has attachments or an address, each of them an https URL', async t => {
  for (const type of ['image', 'file', 'audio', 'video']) {
    t.same(found(media({ url: 'https://a.test/b.png' }, type)), [], type)
    t.same(found(media({ attachments: [attachment('https://a.test/b.png')], text: '' }, type)), [], type)
    t.same(found(media({}, type)), ['missing /data/attachments'], type)
  }
  t.same(found(media({ url: 'https://' })), ['wrong-format /data/url'])
  t.same(found(media({ attachments: [attachment('https://a.test'), attachment('https://[')] })), [
    'wrong-format /data/attachments/1/url'
  ])
  t.same(found(media({ url: 'https://a.test', customData: { a: 1 } })), ['not-allowed /data/customData'])
  t.same(found(media({ text: 'a' }, 'sticker')), ['not-allowed /type'])
})

t.test('a custom message has customData, any type, and no media', async t => {
  const custom = (data: ReplyBody['data']) => bodyOf({ category: 'custom', type: 'poll', data })

  t.same(found(custom({ customData: { a: 1 } })), [])
  t.same(found(custom({ customData: { a: 1 }, text: 'a text beside it' })), [])
  t.same(found(custom({ text: 'a' })), ['missing /data/customData'])
  t.same(found(custom({ customData: { a: 1 }, url: 'https://a.test', attachments: [] })), [
    'not-allowed /data/attachments',
    'not-allowed /data/url'
  ])
})

t.test('a category that is not switched on is refused, and one that is has its content', async t => {
  const all = [...USUAL, 'interactive', 'card']
  const form = bodyOf({ category: 'interactive', type: 'form', data: { interactiveData: { title: 'T' } } })
  const card = bodyOf({ category: 'card', type: 'card', data: { text: 'p', fallbackText: 'f' } })

  for (const body of [form, card]) {
    t.same(found(body), ['not-allowed /category'])
    t.same(found(body, 2, all), [])
  }
  t.same(found(bodyOf(), 2, ['custom']), ['not-allowed /category'])
  t.same(found({ ...form, data: { text: 'a' } }, 2, all), ['missing /data/interactiveData'])
  t.same(found({ ...card, data: { text: 'a', url: 'https://a.test' } }, 2, all), [
    'missing /data/card',
    'not-allowed /data/url'
  ])
})

t.test('ten users can be mentioned, each as often as one likes', async t => {
  const mentions = (count: number): string => Array.from({ length: count }, (_, i) => `<@uid:user-${i}>`).join(' ')

  t.same(found(bodyOf({ data: { text: mentions(10) } })), [])
  t.same(found(bodyOf({ data: { text: mentions(11) } })), ['too-many /data/text'])
  t.same(found(bodyOf({ data: { text: '<@uid:bob>'.repeat(50) } })), [])
  t.same(found(bodyOf({ data: { text: '<@uid:>'.repeat(11) + '<@uid:a b>'.repeat(11) } })), [], 'these mention no user')
})
