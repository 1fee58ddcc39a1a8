import t from 'tap'
import { parseJsonBody } from '../../../src/http/memory/read-body.ts'

t.test('JSON in UTF-8 is read as it is', async t => {
  for (const [text, value] of [
    ['{"a":[1,null,"\u{1f600}"]}', { a: [1, null, '\u{1f600}'] }],
    [' \n\t"x" ', 'x'],
    ['{"a":1,"a":2}', { a: 2 }],
    ['\ufeff{"a":"\ufeff"}', { a: '\ufeff' }]
  ] as const) {
    t.same(parseJsonBody(Buffer.from(text)), value, text)
  }
})

t.test('anything else is malformed, and nothing of it is repeated', async t => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from(' '),
    Buffer.from('{canary'),
    Buffer.from('{"canary":1}x'),
    Buffer.from("{'canary':1}"),
    Buffer.from('\ufeff\ufeff{}'),
    Buffer.from('\ufeff'),
    Buffer.from('\ufeff{}', 'utf16le'),
    Buffer.from('"canary', 'utf16le'),
    Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
    Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])
  ]) {
    const error = t.throws(() => parseJsonBody(bytes), { code: 'malformed-request' }, bytes.toString('hex')) as Error
    t.notMatch(error.message, 'canary')
  }
})
