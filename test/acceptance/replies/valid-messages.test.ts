import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { ANY_CHARACTER } from '../../helpers/any-character.ts'
import { seedOf } from '../../helpers/seed.ts'
import { type JsonObject, startTarget } from '../../helpers/target.ts'

const target = await startTarget(t, { emulator: { switches: { multipleReceivers: 'single' } } })
const toBob = { receiver: 'bob', receiverType: 'user' }
const image = { url: 'https://cdn.example/a.png', name: 'a.png', mimeType: 'image/png', extension: 'png' }
const usual = { ...toBob, category: 'message', type: 'text' }

/** Posts a body and compares what CometChat received with what was sent, members left out filled in. */
async function arrives(
  body: JsonObject
): Promise<{ status: number; sent: JsonObject; got: JsonObject | undefined; answer: JsonObject }> {
  const { status, json } = await target.post({ body })
  const [got] = target.takeBodies()
  return { status, sent: { ...usual, ...body }, got, answer: json?.data }
}

const textOf = (message: JsonObject | undefined): unknown => (message?.['data'] as JsonObject | undefined)?.['text']

t.test('every kind of message that CometChat documents arrives unchanged', async t => {
  const messages: Record<string, JsonObject> = {
    'a text': { data: { text: 'hello' } },
    'the example of the documentation': {
      ...usual,
      data: { text: 'Hi Tom!', metadata: { key1: 'value1', key2: 'value2' } },
      multipleReceivers: { uids: ['bob'] },
      tags: ['tag1']
    },
    'a text with everything left in': { ...usual, data: { text: 'hello' } },
    'an image by url': { type: 'image', data: { url: image.url } },
    'an image by url, with a caption': { type: 'image', data: { url: image.url, text: 'look' } },
    'an image by attachment': { type: 'image', data: { attachments: [image] } },
    'a file': { type: 'file', data: { attachments: [{ ...image, mimeType: 'application/pdf', size: 123 }] } },
    'a file with its size as text': { type: 'file', data: { attachments: [{ ...image, size: '123' }] } },
    'a sound': { type: 'audio', data: { url: 'https://cdn.example/a.mp3?x=1&y=%20#t=1' } },
    'a film, twice': { type: 'video', data: { attachments: [image, { ...image, name: 'b' }], text: 'two' } },
    'an address with other letters': { type: 'image', data: { url: 'https://bücher.example/ä/日本.png' } },
    'a custom message': { category: 'custom', type: 'location', data: { customData: { lat: 1.5, at: [null, true] } } },
    'a custom message with a text': { category: 'custom', type: 'x y', data: { text: 'here', customData: { a: {} } } },
    tags: { data: { text: 'hello' }, tags: ['a', 'ä', '#x', '😀', 'a b'] },
    'no tags': { data: { text: 'hello' }, tags: [] },
    mentions: { data: { text: '<@uid:bob> and <@uid:carol>' } },
    metadata: { data: { text: 'hello', metadata: { a: { b: [1, 'two', null, { c: false }] }, '': '', 'ä b': 1.5 } } },
    'empty metadata beside a caption': { type: 'image', data: { url: image.url, metadata: {} } }
  }

  for (const [name, body] of Object.entries(messages)) {
    const { status, sent, got } = await arrives(body)
    t.equal(status, 201, name)
    const { metadata, ...data } = sent['data'] as JsonObject
    const isEmpty = JSON.stringify(metadata) === '{}'
    t.same(got, isEmpty ? { ...sent, data } : sent, name)
  }
})

t.test('every text arrives and comes back character by character', async t => {
  const texts = {
    emoji: '😀 👨‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🇩🇪',
    'right to left': 'שלום עולם مرحبا \u202egnp.exe\u202c',
    Indic: 'नमस्ते దుస్తులు',
    'stacked marks': 'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G',
    'composed and decomposed': '\u00e9 e\u0301 \u212b A\u030a ﬁ K ſ',
    invisible: 'a\u200b\u200d\ufeff\u00ad\u2060b',
    'only blanks': ' \t\n ',
    'line ends': 'a\r\nb\nc\rd\u2028e\u2029f\u0085g',
    controls: 'a\u0000b\u0001c\u001b[31md\u007f\u009b',
    'not a character': '\uffff\ufffe\ufffd\u{10ffff}',
    markup: '<script>alert("1")</script>&amp;&#x27;<!--',
    quotes: '"\\"\\\\" \\u0041 \\n',
    'looks like JSON': '{"sender":"mallory","__proto__":{}}',
    'looks like code': "'; DROP TABLE messages;-- {{7*7}} %s %00 ../../ $(id)",
    'looks like a header': 'hello\r\nonBehalfOf: mallory\r\n\r\nPOST /v3/apikeys HTTP/1.1',
    'a number': '007',
    long: 'ab😀'.repeat(10_000)
  }

  for (const [name, text] of Object.entries(texts)) {
    const { status, got, answer } = await arrives({ data: { text } })
    t.equal(status, 201, name)
    t.ok(textOf(got) === text, `${name}: arrives`)
    t.ok(textOf(answer) === text, `${name}: comes back`)
  }
})

t.test('a reply into a group arrives with the group as its receiver', async t => {
  const derived = await target.post({ as: 'bob', parentId: target.groupParentId })
  t.equal(derived.status, 201)
  t.match(target.takeBodies(), [{ receiver: 'team', receiverType: 'group' }])

  const given = await target.post({
    parentId: target.groupParentId,
    body: { receiver: 'team', receiverType: 'group', data: { text: 'hello' } }
  })
  t.equal(given.status, 201)
  t.match(target.takeBodies(), [{ receiver: 'team', receiverType: 'group' }])
})

t.test('any valid body arrives as it was sent, member by member', async t => {
  // Numbers that JSON keeps exactly, and names that belong to the client.
  const json = fc.jsonValue({ maxDepth: 3, stringUnit: ANY_CHARACTER }).map(value => JSON.parse(JSON.stringify(value)))
  const isOurs = (name: string): boolean => ['bffDelivery', '@injected', '__proto__'].includes(name)
  const names = fc.string({ unit: 'grapheme', maxLength: 12 }).filter(name => !isOurs(name))
  const object = fc.dictionary(names, json, { minKeys: 1, maxKeys: 8 })
  const hasOddPart = (value: unknown): boolean =>
    /"__proto__"|\\u(d[89a-f]|D)/.test(JSON.stringify(value)) || hasLongNumber(value)
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 })
  const tags = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), { maxLength: 25 })
  const body = fc
    .oneof(
      fc.record({ data: fc.record({ text, metadata: object }), tags }),
      fc.record({ data: fc.record({ text }), receiver: fc.constant('bob'), receiverType: fc.constant('user') }),
      fc.record({ category: fc.constant('custom'), type: fc.constant('poll'), data: fc.record({ customData: object }) })
    )
    .filter(value => !hasOddPart(value))
  const seed = seedOf(t)

  await fc.assert(
    fc.asyncProperty(body, async value => {
      const { status, sent, got } = await arrives(JSON.parse(JSON.stringify(value)))
      return status === 201 && isDeepStrictEqual(got, sent)
    }),
    { seed, numRuns: 150 }
  )
})

/** Integers beyond 2^53 are refused, and negative zero has no spelling in what JSON.stringify writes. */
function hasLongNumber(value: unknown): boolean {
  if (typeof value === 'number')
    return Object.is(value, -0) || (Number.isInteger(value) && !Number.isSafeInteger(value))
  return typeof value === 'object' && value !== null && Object.values(value).some(hasLongNumber)
}
