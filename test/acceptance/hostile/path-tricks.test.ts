import fc from 'fast-check'
import t from 'tap'
import { seedOf } from '../../helpers/seed.ts'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'

const target = await startTarget(t)
const { parentId: id } = target
const VALID_ID = /^[1-9][0-9]{0,18}$/

/** What CometChat was asked for since the last look. */
function takeTargets(): string[] {
  const targets = target.emulator.requests.map(({ method, path }) => `${method} ${path}`)
  target.emulator.clear()
  return targets
}

const attempt = (path: string) => target.send({ target: path, lines: target.goodLines() })

t.test('a thread id that is not plain digits never reaches CometChat', async t => {
  const spellings = {
    dots: `.. . ... ../.. ..\\.. \\ ${id}\\.. ..;/${id} ${id}/.. ${id}/../102 ${id}/.`,
    'encoded dots': '%2e%2e %2e .%2e %2E%2E%2Fapikeys ..%2F..%2Fapikeys %2e%2e%2fapikeys%3fx%3d ..%5c %c0%ae%c0%ae',
    'other endpoints': `${id}%2Fthread%3Fx= ..%2Fapikeys%3Fx= ${id}%3Fx=1 ${id}%23 ${id}%26a=b`,
    'encoded twice': `%252e%252e ${id}%252F %25%32%66 %2531%2530%2531 ${id}%253Fx`,
    'needlessly encoded': `%31%30%31 %31${id.slice(1)} ${id.slice(0, -1)}%31`,
    'not decodable': `% %z %zz %ff %c0 %e0%80 ${id}% %u0031 %00 ${id}%00 %0d%0aapikey:%20x`,
    parameters: `${id};x=1 ${id}; ;${id} ${id},102 ${id}&102 ${id}= ${id}: ${id}@evil.example`,
    blanks: `${id}%20 %20${id} ${id}%09 ${id}%0a ${id}%c2%a0 ${id}%e2%80%8b +${id} ${id}+`,
    'other digits': '%D9%A1%D9%A0%D9%A1 \xd9\xa1\xd9\xa0 %EF%BC%91 %E0%A5%A7 \xb9 %C2%B9 %F0%9D%9F%8F',
    'other numbers': `0 00 -1 -0 0${id} 00${id} 1e2 1E2 0x65 0b1 1.0 1_0 1n NaN`,
    'long numbers': `${'1'.repeat(20)} 1${'0'.repeat(30)} ${'9'.repeat(200)} ${'1'.repeat(5000)} 18446744073709551616`,
    words: "__proto__ constructor toString null undefined true * :parentId {id} $1 '1'",
    markup: '<script> %3Cscript%3E 1\'-- 1%20OR%201=1 {{1}} 1|id `id` [1] "1" %24%7B7*7%7D',
    slashes: `/ // %2f /${id} ${id}/ http:%2f%2fevil.example%2f${id}`
  }

  for (const [name, list] of Object.entries(spellings)) {
    for (const spelling of ['', ...list.split(' ')]) {
      const answer = await attempt(`/threads/${spelling}/replies`)
      t.ok(answer && answer.status >= 400 && answer.status < 500, `${name}: ${JSON.stringify(spelling.slice(0, 40))}`)
      isRefusal(t, answer, answer?.status ?? 0, answer?.json?.code, `${answer?.status} ${answer?.json?.code}`)
    }
  }
  t.same(takeTargets(), [], 'CometChat sees nothing of it')
})

t.test('a refusal for a path repeats nothing of it', async t => {
  for (const path of [
    '/threads/canary-in-path/replies',
    '/canary-in-path',
    `/threads/${id}/replies?canary-in-path=canary-in-path`,
    '/canary-in-path%'
  ]) {
    const answer = await attempt(path)
    t.notMatch(answer?.body.replaceAll('/canary-in-path', ''), 'canary-in-path', path)
    t.notMatch(answer?.head, 'canary-in-path', path)
  }
  t.same(takeTargets(), [])
})

t.test('a request target is the one route or none', async t => {
  // Those of the thread and of a reply have other methods.
  const CODES = { 404: 'not-found', 405: 'method-not-allowed', 422: 'invalid-request' } as const
  const none: readonly (readonly [keyof typeof CODES, string])[] = [
    [404, '/'],
    [404, '*'],
    [404, '/threads'],
    [405, `/threads/${id}`],
    [405, `/threads/${id}/replies/`],
    [405, `/threads/${id}/replies/x`],
    [405, `/threads/${id}/replies/..`],
    [404, `/threads/../threads/${id}/replies`],
    [404, `/./threads/${id}/replies`],
    [404, `//threads/${id}/replies`],
    [404, `//evil.example/threads/${id}/replies`],
    [404, `/threads//${id}/replies`],
    [404, `/THREADS/${id}/replies`],
    [404, `/threads/${id}/Replies`],
    [404, `/threads/${id}/replies;x=1`],
    [405, `/threads/${id}%2freplies`],
    [404, `/threads%2f${id}/replies`],
    [404, `/threads/${id}/replies%3fx`],
    [405, `/threads/${id}#/replies`],
    [405, `/threads/${id}?/replies`],
    [404, `/v3/messages/${id}/thread`],
    [404, '/v3/apikeys'],
    [404, '/livez'],
    [404, '/metrics'],
    [422, `/%74hreads/${id}/replies`],
    [422, `/threads/${id}/replie%73`],
    [422, `/threads/${id}/replies?x=1`],
    [422, `/threads/${id}/replies?parentId=102`],
    [422, `/threads/${id}/replies?__proto__=1`],
    [422, `/threads/${id}/replies?x=%2e`],
    [422, `/threads/${id}/replies#x`]
  ]
  for (const [status, path] of none) {
    const answer = await attempt(path)
    isRefusal(t, answer, status, CODES[status], path)
  }
  for (const path of [
    `threads/${id}/replies`,
    `/threads/${id}/re plies`,
    `/threads/${id}/replies\x7f`,
    '/threads/\x00/replies',
    `http://a:99999${target.path}`
  ]) {
    isRefusal(t, await attempt(path), 400, 'malformed-request', JSON.stringify(path))
  }
  t.same(takeTargets(), [], 'CometChat sees nothing of it')

  for (const path of [
    `/threads/${id}/replies`,
    `/threads/${id}/replies?`,
    `http://service.test/threads/${id}/replies`,
    `https://evil.example:8443/threads/${id}/replies`
  ]) {
    const answer = await attempt(path)
    t.equal(answer?.status, 201, path)
    t.same(
      takeTargets().filter(text => text.startsWith('POST')),
      [`POST /v3/messages/${id}/thread`],
      path
    )
  }
})

t.test('every well-formed id is asked for digit by digit', async t => {
  const ids = ['1', '9', '10', '9007199254740993', '9223372036854775807', '9999999999999999999', '1000000000000000000']
  for (const known of ids) {
    target.emulator.addMessage({ id: known, sender: 'bob', receiver: 'alice', receiverType: 'user' })
    const answer = await attempt(`/threads/${known}/replies`)
    t.equal(answer?.status, 201, known)
    t.equal(answer?.json?.data?.parentId, known)
    t.same(takeTargets(), [`GET /v3/messages/${known}`, `POST /v3/messages/${known}/thread`])
  }

  const unknown = await attempt('/threads/8765432109876543210/replies')
  isRefusal(t, unknown, 404, 'thread-not-found')
  t.same(takeTargets(), ['GET /v3/messages/8765432109876543210'])
})

t.test('no text in the place of an id gives CometChat any other path', async t => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 22 })
  const tricky = fc.string({
    unit: fc.constantFrom(...'0123456789%2eEfF./\\;?#&:@-+*_~\xd9\xa1\xff"<>|^`{}'),
    maxLength: 24
  })
  const seed = seedOf(t)
  let reached = 0

  await fc.assert(
    fc.asyncProperty(fc.oneof(digits, tricky), async text => {
      const answer = await attempt(`/threads/${text}/replies`)
      const seen = takeTargets()
      reached += seen.length
      const allowed = VALID_ID.test(text) ? [`GET /v3/messages/${text}`, `POST /v3/messages/${text}/thread`] : []
      return answer !== undefined && answer.status < 500 && seen.every(one => allowed.includes(one))
    }),
    { seed, numRuns: 300 }
  )

  t.ok(reached > 50, 'well-formed ids were among them')
})

t.test('other methods on the same address post nothing', async t => {
  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'LINK', 'SEARCH']) {
    const answer = await target.send({ method, lines: target.goodLines() })
    t.ok(answer && (answer.status === 405 || answer.status === 404), `${method} ${answer?.status}`)
  }
  const head = target.open(t)
  head.send(`HEAD ${target.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  await head.ended()
  t.match(head.text(), /^HTTP\/1\.1 405 .*\r\n\r\n$/s, 'HEAD 405, without a body')
  for (const method of ['post', 'Post', 'POST\x00', 'FOO', 'POSTX', 'G ET']) {
    isRefusal(
      t,
      await target.send({ method, lines: target.goodLines() }),
      400,
      'malformed-request',
      JSON.stringify(method)
    )
  }
  t.same(takeTargets(), [], 'CometChat sees nothing of it')
})

t.test('CONNECT opens no tunnel', async t => {
  const client = target.open(t)
  client.send(`CONNECT ${new URL(target.emulator.url).host} HTTP/1.1\r\nHost: x\r\n\r\n`)
  t.ok(await client.ended(), 'the connection is closed')
  t.notMatch(client.text(), /^HTTP\/1\.1 2/)
  t.same(takeTargets(), [])
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
