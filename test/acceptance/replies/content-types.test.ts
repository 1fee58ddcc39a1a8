import { gzipSync } from 'node:zlib'
import t from 'tap'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'

const target = await startTarget(t)
const authorization = `Authorization: Bearer ${target.tokens.alice}`
const valid = target.goodBody()
const invalid = '{"data":{"text":"hello"},"category":"action","sender2":1}'

const JSON_TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset=utf-8',
  'application/json;charset=UTF-8',
  'application/json; charset=Utf-8',
  'application/json; charset="utf-8"',
  'application/json ; charset=utf-8',
  'application/json\t;\tcharset=utf-8',
  'Application/JSON',
  'APPLICATION/JSON; CHARSET=UTF-8',
  '  application/json',
  'application/json \t',
  'application/json; charset=utf8',
  "application/json; charset='utf-8'",
  'application/json;',
  'application/json; ',
  'application/json;;',
  'application/json; a=b',
  'application/json; charset=utf-8;',
  'application/json; charset=utf-8; boundary=x',
  'application/json; q=0.9',
  'application/json; version=1',
  'application/json; __proto__=1'
]

const OTHER_TYPES = {
  'the three that need no preflight': ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'],
  'the three, with JSON in the parameters': [
    'text/plain; application/json',
    'text/plain;a=application/json',
    'application/x-www-form-urlencoded; charset=utf-8',
    'multipart/form-data; boundary=application/json'
  ],
  'types beside it': [
    'application/json5',
    'application/jsonp',
    'application/jso',
    'application/jsonx; charset=utf-8',
    'application/x-json',
    'application/ld+json',
    'application/vnd.api+json',
    'application/problem+json',
    'application/merge-patch+json',
    'application/json-seq',
    'application/x-ndjson',
    'text/json',
    'text/javascript',
    'text/x-json',
    'application/octet-stream',
    'application/*',
    '*/*',
    '*',
    'json',
    '.json'
  ],
  'other charsets': [
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-16',
    'application/json; charset=utf-7',
    'application/json; charset=utf32',
    'application/json; charset=us-ascii',
    "application/json; charset='latin1'",
    'application/json; charset="utf-8',
    'application/json; charset=',
    'application/json; charset',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; charset=utf-8, text/plain'
  ],
  'parameters that cannot be read': [
    'application/json; a',
    'application/json; a=',
    'application/json; a="b',
    'application/json; =b',
    'application/json; a=b c',
    'application/json; charset=utf-8 x',
    'application/json; a=b; charset=utf-16',
    'application/json; a=b, text/plain',
    'application/json; charset = utf-8'
  ],
  'separators that some read as blanks': [
    'application/json\xa0',
    'application/json\x85',
    'application\t/json',
    'application/ json',
    'application / json',
    'application/json charset=utf-8',
    '\xa0application/json',
    '\xefapplication/json'
  ],
  lists: [
    'application/json, application/json',
    'application/json,text/plain',
    'text/plain, application/json',
    ', application/json',
    'application/json,',
    '"application/json"',
    '<application/json>',
    'application/json/json',
    'application//json',
    'application\\json',
    'application/json\\',
    'application%2Fjson',
    'application/json#',
    'application/json?',
    'application/jsоn'
  ],
  nothing: ['', ' ', ';', '/', 'application/', '/json', 'application', ';charset=utf-8']
}

t.test('JSON in UTF-8 is accepted in its usual spellings, and validated in each', async t => {
  for (const type of JSON_TYPES) {
    const accepted = await target.send({ lines: [authorization, `Content-Type:${type}`], body: valid })
    t.equal(accepted?.status, 201, JSON.stringify(type))
    t.equal(target.takePosts().length, 1)

    const refused = await target.send({ lines: [authorization, `Content-Type:${type}`], body: invalid })
    isRefusal(t, refused, 422, 'invalid-request', JSON.stringify(type))
    t.same(target.takePosts(), [])
  }
})

t.test('every other content type is refused before the body is looked at', async t => {
  t.ok(Object.values(OTHER_TYPES).flat().length >= 60, 'there are enough of them')
  for (const [name, types] of Object.entries(OTHER_TYPES)) {
    for (const type of types) {
      for (const body of [valid, invalid]) {
        const answer = await target.send({ lines: [authorization, `Content-Type: ${type}`], body })
        isRefusal(t, answer, 415, 'unsupported-media-type', `${name}: ${JSON.stringify(type)}`)
      }
    }
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a control character in a content type makes the request unreadable', async t => {
  for (const type of [
    '\x0bapplication/json',
    ...['\x0b', '\x0c', '\x00', '\x1f', '\x7f'].map(end => `application/json${end}`)
  ]) {
    const answer = await target.send({ lines: [authorization, `Content-Type: ${type}`], body: valid })
    t.ok([400, 415].includes(answer?.status ?? 0), `${answer?.status} ${JSON.stringify(type)}`)
    isRefusal(t, answer, answer?.status ?? 0, answer?.json?.code)
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a form or a plain text is refused although its sender is signed in', async t => {
  const bodies = {
    'text/plain': '{"data":{"text":"hello"},"=":"x"}',
    'application/x-www-form-urlencoded': 'data%5Btext%5D=hello',
    'multipart/form-data; boundary=x': '--x\r\nContent-Disposition: form-data; name="data"\r\n\r\nhello\r\n--x--'
  }
  for (const [type, body] of Object.entries(bodies)) {
    for (const credential of [authorization, 'Cookie: connect.sid=s%3Aabc.def']) {
      const answer = await target.send({ lines: [credential, `Content-Type: ${type}`], body })
      isRefusal(t, answer, 415, 'unsupported-media-type', type)
    }
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a body without a content type is refused, with a body and without', async t => {
  for (const body of [valid, '']) {
    isRefusal(t, await target.send({ lines: [authorization], body }), 415, 'unsupported-media-type')
  }
  const unsized = await target.send({ lines: [authorization], body: '', sized: false })
  isRefusal(t, unsized, 415, 'unsupported-media-type', 'no length, no type')
  const empty = await target.send({ lines: target.goodLines(), body: '', sized: false })
  isRefusal(t, empty, 400, 'malformed-request', 'a type, and nothing of it')
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a content encoding is refused, and one that is none is not', async t => {
  const codings = [
    'gzip',
    'x-gzip',
    'deflate',
    'br',
    'zstd',
    'compress',
    'identity, gzip',
    'gzip, gzip',
    'aws-chunked',
    '',
    '*',
    'utf-8',
    '\xff'
  ]
  for (const coding of codings) {
    for (const body of [valid, gzipSync(valid)]) {
      const answer = await target.send({ lines: [...target.goodLines(), `Content-Encoding: ${coding}`], body })
      isRefusal(t, answer, 415, 'unsupported-media-type', JSON.stringify(coding))
    }
  }
  for (const coding of ['identity', 'IDENTITY']) {
    const answer = await target.send({ lines: [...target.goodLines(), `Content-Encoding: ${coding}`], body: valid })
    t.equal(answer?.status, 201, coding)
    t.equal(target.takePosts().length, 1)
  }
  const unannounced = await target.send({ lines: target.goodLines(), body: gzipSync(valid) })
  isRefusal(t, unannounced, 400, 'malformed-request', 'gzip without saying so')
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
