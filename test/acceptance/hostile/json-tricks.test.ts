import t from 'tap'
import { fastestMs } from '../../helpers/fastest.ts'
import { isRefusal, type JsonObject, startTarget, stillServes } from '../../helpers/target.ts'

const target = await startTarget(t)
const nested = (depth: number, inner = '1'): string => '{"a":'.repeat(depth) + inner + '}'.repeat(depth)
const withMetadata = (metadata: string): string => `{"data":{"text":"hello","metadata":${metadata}}}`
const members = (count: number, name: (index: number) => string, value = '1'): string =>
  `{${Array.from({ length: count }, (_, index) => `${name(index)}:${value}`).join(',')}}`

const pointersOf = (json: { errors?: { pointer: string }[] } | undefined): string[] =>
  json?.errors?.map(({ pointer }) => pointer) ?? []

t.test('a body that is not one JSON text in UTF-8 is refused without a word about it', async t => {
  const bodies: readonly (readonly [string, string | Buffer])[] = [
    ['nothing', ''],
    ['blanks', ' \r\n\t '],
    ['NUL', '\0'],
    ['half an object', '{"data":{"text":"hello"'],
    ['two objects', '{"data":{"text":"a"}}{"data":{"text":"b"}}'],
    ['a tail', '{"data":{"text":"a"}}x'],
    ['a tail of NUL', '{"data":{"text":"a"}}\0'],
    ['single quotes', "{'data':{'text':'a'}}"],
    ['bare names', '{data:{text:"a"}}'],
    ['a comma too many', '{"data":{"text":"a",}}'],
    ['a comment', '{"data":{"text":"a"}/**/}'],
    ['a raw line end in a string', '{"data":{"text":"a\nb"}}'],
    ['a raw NUL in a string', '{"data":{"text":"a\0b"}}'],
    ['NaN', withMetadata('{"a":NaN}')],
    ['Infinity', withMetadata('{"a":-Infinity}')],
    ['hexadecimal', withMetadata('{"a":0x10}')],
    ['a leading zero', withMetadata('{"a":010}')],
    ['a leading plus', withMetadata('{"a":+1}')],
    ['a bad escape', '{"data":{"text":"\\x41"}}'],
    ['two byte order marks', '\ufeff\ufeff{"data":{"text":"a"}}'],
    ['UTF-16', Buffer.from('{"data":{"text":"a"}}', 'utf16le')],
    ['Latin-1', Buffer.from('{"data":{"text":"\xe9"}}', 'latin1')],
    ['a cut sequence', Buffer.from([...Buffer.from('{"data":{"text":"'), 0xe2, 0x82, ...Buffer.from('"}}')])],
    ['an overlong sequence', Buffer.from([...Buffer.from('{"data":{"text":"'), 0xc0, 0xaf, ...Buffer.from('"}}')])],
    [
      'an encoded surrogate',
      Buffer.from([...Buffer.from('{"data":{"text":"'), 0xed, 0xa0, 0x80, ...Buffer.from('"}}')])
    ],
    ['a form', 'data[text]=canary'],
    ['markup', '<data><text>canary</text></data>']
  ]
  for (const [name, body] of bodies) {
    const answer = await target.send({ lines: target.goodLines(), body })
    isRefusal(t, answer, 400, 'malformed-request', name)
    t.notMatch(answer?.body, 'canary')
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('one byte order mark in front says nothing', async t => {
  const answer = await target.send({ lines: target.goodLines(), body: '\ufeff{"data":{"text":"a"}}' })

  t.equal(answer?.status, 201)
  t.match(target.takeBodies(), [{ data: { text: 'a' } }])
})

t.test('a JSON text that is no object is refused as a whole', async t => {
  for (const body of [
    'null',
    '[]',
    '[{"data":{"text":"a"}}]',
    '"data"',
    '1',
    'true',
    '{}',
    '{"data":null}',
    '{"data":[]}'
  ]) {
    const answer = await target.post({ body })
    isRefusal(t, answer, 422, 'invalid-request', body)
    t.same(
      pointersOf(answer.json).map(pointer => ['', '/data'].includes(pointer)),
      [true],
      body
    )
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('nesting is allowed to 32 levels and refused beyond, however deep it goes', async t => {
  // The body is level 1, data level 2, metadata level 3.
  const deepest = await target.post({ body: withMetadata(nested(30)) })
  t.equal(deepest.status, 201, '32 levels')
  t.same(
    target.takeBodies().map(body => (body['data'] as JsonObject)['metadata']),
    [JSON.parse(nested(30))]
  )

  for (const body of [
    withMetadata(nested(31)),
    withMetadata(nested(8000)),
    withMetadata(nested(40_000)),
    '['.repeat(130_000) + ']'.repeat(130_000),
    nested(43_000)
  ]) {
    const answer = await target.post({ body })
    isRefusal(t, answer, 422, 'invalid-request', `${body.length} bytes`)
    t.equal(answer.json.errors[0].code, 'too-deep')
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a name that reaches for a prototype changes none', async t => {
  for (const body of [
    '{"data":{"text":"hello"},"__proto__":{"category":"custom"}}',
    '{"data":{"text":"hello","__proto__":{"metadata":{}}}}',
    withMetadata('{"__proto__":{"polluted":1}}'),
    withMetadata('{"a":{"b":[{"__proto__":null}]}}'),
    withMetadata('{"\\u005f_proto__":{"polluted":1}}'),
    '{"__proto__":null,"data":{"text":"hello"}}',
    '{"constructor":{"prototype":{"category":"custom"}},"data":{"text":"hello"}}',
    '{"data":{"text":"hello"},"hasOwnProperty":1}'
  ]) {
    const answer = await target.post({ body })
    isRefusal(t, answer, 422, 'invalid-request', body)
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')

  const metadata = { constructor: { prototype: { polluted: 1 } }, toString: 'x', valueOf: null, prototype: [] }
  const allowed = await target.post({ body: { data: { text: 'hello', metadata } } })
  t.equal(allowed.status, 201, 'in metadata these are names like any other')
  t.same(
    target.takeBodies().map(body => (body['data'] as JsonObject)['metadata']),
    [metadata]
  )

  const inData = await target.post({ body: '{"data":{"text":"hello","toString":1,"valueOf":null}}' })
  t.equal(inData.status, 201, 'in data, too')
  t.match(target.takeBodies(), [{ data: { text: 'hello', toString: 1, valueOf: null } }])
})

t.test('half a surrogate pair is refused where it stands', async t => {
  for (const [pointer, body] of [
    ['/data/text', '{"data":{"text":"\\ud800"}}'],
    ['/data/text', '{"data":{"text":"a\\udc00\\ud83d"}}'],
    ['/data/metadata/a/0/b', withMetadata('{"a":[{"b":"\\udfff!"}]}')],
    ['/data/metadata', withMetadata('{"\\ud800":1}')],
    ['/tags/0', '{"data":{"text":"a"},"tags":["\\ud83d"]}'],
    ['', '{"data":{"text":"a"},"\\udead":1}']
  ] as const) {
    const answer = await target.post({ body })
    isRefusal(t, answer, 422, 'invalid-request', body)
    t.same(pointersOf(answer.json), [pointer], body)
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a number that would arrive as another one is refused', async t => {
  for (const number of [
    '1e999',
    '-1e999',
    '1e309',
    '9007199254740993',
    '-9007199254740993',
    '12345678901234567890',
    '1e22'
  ]) {
    const answer = await target.post({ body: withMetadata(`{"a":[${number}]}`) })
    isRefusal(t, answer, 422, 'invalid-request', number)
    t.match(answer.json.errors, [{ pointer: '/data/metadata/a/0', code: 'out-of-range' }])
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')

  const metadata = { a: [9007199254740991, -9007199254740991, 0, 1e-7, 0.1, 1.7976931348623157e308 / 1e300, 5e-324] }
  const exact = await target.post({ body: { data: { text: 'hello', metadata } } })
  t.equal(exact.status, 201)
  t.same(
    target.takeBodies().map(body => (body['data'] as JsonObject)['metadata']),
    [metadata]
  )
})

t.test('of a member that comes twice the last one counts, and CometChat sees one', async t => {
  const twice =
    '{"data":{"text":"first"},"data":{"text":"a","text":"second","metadata":{"k":1,"k":2}},"tags":["x"],"tags":["y"]}'
  const answer = await target.post({ body: twice })
  const [request] = target.emulator.requests.filter(({ method }) => method === 'POST')

  t.equal(answer.status, 201)
  t.notMatch(request?.body, 'first')
  t.equal(request?.body.match(/"text":/g)?.length, 1)
  t.match(target.takeBodies(), [{ data: { text: 'second', metadata: { k: 2 } }, tags: ['y'] }])

  const hidden = await target.post({ body: '{"data":{"text":"a"},"sender":"x","sender":"y"}' })
  isRefusal(t, hidden, 400, 'reserved-name')
  const replaced = await target.post({ body: '{"data":{"text":"a"},"data":7}' })
  isRefusal(t, replaced, 422, 'invalid-request')
  t.same(target.emulator.requests, [])
})

t.test('five thousand numeric names cost next to nothing', async t => {
  const many = members(5000, index => `"${index * 7919}"`)
  const custom = { category: 'custom', type: 'x', data: { customData: JSON.parse(many) } }
  let answer = await target.post({ body: custom })
  const leastMs = await fastestMs(async () => {
    answer = await target.post({ body: custom })
  })

  t.equal(answer.status, 201)
  t.ok(leastMs < 500, `${Math.round(leastMs)} ms, both ways`)
  target.takeBodies()
  isRefusal(t, await target.post({ body: withMetadata(many) }), 422, 'invalid-request', 'metadata has a limit')
})

t.test('a body with thousands of mistakes is answered shortly, and soon', async t => {
  const long = `"${'-'.repeat(150_000)}uid"`
  const bodies = {
    'unknown members': members(20_000, index => `"x${index}"`),
    'ill-formed names': withMetadata(members(12_000, index => `"\\ud800${index}"`)),
    'reserved names': members(8000, index => `"${'-'.repeat(index % 90)}u${'_'.repeat(index / 90)}id"`).slice(
      0,
      250_000
    ),
    'one reserved name, very long': `{${long}:1}`,
    'wrong tags': `{"data":{"text":"a"},"tags":[${'1,'.repeat(120_000)}1]}`,
    'empty attachments': `{"type":"image","data":{"attachments":[${'{},'.repeat(80_000)}{}]}}`,
    'lone surrogates': withMetadata(`{"a":[${'"\\ud800",'.repeat(20_000)}1]}`),
    mentions: `{"data":{"text":"${'<@uid:'.repeat(20_000)}"}}`
  }
  for (const [name, body] of Object.entries(bodies)) {
    let answer = await target.post({ body })
    const tookMs = await fastestMs(async () => {
      answer = await target.post({ body })
    }, 2)
    t.ok(answer.status >= 400 && answer.status < 500, `${name}: ${answer.status}`)
    t.ok(answer.text.length < 5000, `${answer.text.length} bytes for ${body.length}`)
    t.ok(pointersOf(answer.json).length <= 20)
    t.ok(tookMs < 1000, `${Math.round(tookMs)} ms`)
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
