import fc from 'fast-check'
import t from 'tap'
import manifest from '../../../package.json' with { type: 'json' }
import { seedOf } from '../../helpers/seed.ts'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'

const target = await startTarget(t)

/** Every header CometChat may receive: name, value, in this order, in this spelling. */
function expectedHeaders(body: string, traceparent?: string): string[] {
  return [
    ...['host', new URL(target.emulator.url).host, 'connection', 'keep-alive'],
    ...['apikey', target.emulator.apiKey, 'onBehalfOf', 'alice'],
    ...[
      'accept',
      'application/json',
      'accept-encoding',
      'identity',
      'user-agent',
      `thread-reply-bff/${manifest.version}`
    ],
    ...['content-type', 'application/json', ...(traceparent ? ['traceparent', traceparent] : [])],
    ...['content-length', String(Buffer.byteLength(body))]
  ]
}

/** The headers of the one POST that arrived since the last look, and the literal list they have to equal. */
function takeArrived(traceparent?: string) {
  const posts = target.emulator.requests.filter(({ method }) => method === 'POST')
  const [arrived] = posts
  target.emulator.clear()
  return { count: posts.length, got: arrived?.rawHeaders, want: expectedHeaders(arrived?.body ?? '', traceparent) }
}

t.test('CometChat receives one literal list of headers, whatever the client sends', async t => {
  const token = fc.string({
    unit: fc.constantFrom(..."abcXYZ019!#$%&'*+.^_`|~-"),
    minLength: 1,
    maxLength: 12
  })
  const name = fc.oneof(
    token,
    fc.constantFrom('x-user', 'x-user-id', 'x_forwarded_user', 'cookie', 'accept', 'accept-encoding', 'user-agent'),
    fc.constantFrom('TE', 'via', 'x-apikey', 'sender', 'uid', 'x-http-method-override', 'traceparent', 'tracestate'),
    fc.constantFrom('Api-Key', 'on_behalf_of', 'APPID', 'proxy-authorization', 'content-md5', 'range', 'if-match')
  )
  const value = fc.string({ unit: fc.constantFrom(...'aA0 ,;:="\t\x80\xff/{}'), maxLength: 24 })
  const seed = seedOf(t)
  const answered = new Map<number | undefined, number>()

  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 12 }), async pairs => {
      const lines = [...target.goodLines(), ...pairs.map(pair => pair.join(': '))]
      const answer = await target.send({ lines })
      const { count, got, want } = takeArrived()
      answered.set(answer?.status, (answered.get(answer?.status) ?? 0) + 1)
      const isPosted = answer?.status === 201 && count === 1 && JSON.stringify(got) === JSON.stringify(want)
      return isPosted || (answer?.status === 400 && count === 0)
    }),
    { seed, numRuns: 150 }
  )

  t.ok((answered.get(201) ?? 0) > 75, `most are accepted: ${JSON.stringify([...answered])}`)
})

t.test('a header that would set an identity or a secret is refused in every spelling', async t => {
  const words = [['apikey'], ['api', 'key'], ['on', 'behalf', 'of'], ['app', 'id'], ['auth', 'token'], ['onbehalfof']]
  const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
  const spellings = words.flatMap(parts =>
    ['', '-', '_', '__', '-_'].flatMap(glue => {
      const plain = parts.join(glue)
      return [plain, plain.toUpperCase(), parts.map(capital).join(glue), `_${plain}`, `${plain}-`]
    })
  )

  for (const spelling of new Set(spellings)) {
    const answer = await target.send({ lines: [...target.goodLines(), `${spelling}: mallory`] })
    isRefusal(t, answer, 400, 'reserved-name', spelling)
    t.notMatch(answer?.body, 'mallory')
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a header behind a thousand others is seen, or all of them are refused', async t => {
  for (const [count, accepted] of [
    [900, true],
    [1100, false],
    [2100, false]
  ] as const) {
    const padded = [...target.goodLines(), ...Array.from({ length: count }, () => 'a:')]
    const reserved = await target.send({ lines: [...padded, 'apikey: x'] })
    const twice = await target.send({ lines: [...padded, `Authorization: Bearer ${target.tokens.bob}`] })
    t.same(takeArrived().count, 0)
    const harmless = await target.send({ lines: padded })

    t.equal(harmless?.status, accepted ? 201 : 431, `${count} headers`)
    isRefusal(t, reserved, accepted ? 400 : 431, accepted ? 'reserved-name' : 'headers-too-large')
    isRefusal(t, twice, accepted ? 400 : 431, accepted ? 'ambiguous-credentials' : 'headers-too-large')
    takeArrived()
  }
})

t.test('Connection names our headers as hop-by-hop and takes none of them away', async t => {
  for (const names of [
    'onBehalfOf, apikey, content-type, close',
    'apikey, onbehalfof, traceparent',
    'keep-alive, authorization, host',
    'user-agent',
    'close, content-length'
  ]) {
    const answer = await target.send({ lines: [...target.goodLines(), `Connection: ${names}`] })
    const { got, want } = takeArrived()
    t.equal(answer?.status, 201, names)
    t.same(got, want, names)
  }
})

t.test('headers named like members of a prototype have no effect', async t => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', '__defineGetter__']) {
    const answer = await target.send({ lines: [...target.goodLines(), `${name}: polluted`, `${name}: twice`] })
    const { got, want } = takeArrived()
    t.equal(answer?.status, 201, name)
    t.same(got, want, name)
  }
})

t.test('a client that says who it is, in headers that proxies set, stays who its token says', async t => {
  for (const line of [
    'X-User: mallory',
    'X-User-Id: bob',
    'X_Forwarded_User: bob',
    'X-Forwarded-User: bob',
    'X-Forwarded-Email: bob@example.com',
    'X-Auth-Request-User: bob',
    'Remote-User: bob',
    'X-Original-URL: /threads/999/replies',
    'X-Rewrite-URL: /threads/999/replies',
    'X-HTTP-Method-Override: DELETE',
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: http',
    'X-Forwarded-For: 127.0.0.1',
    'Forwarded: for=127.0.0.1;host=evil.example;proto=http',
    'Proxy-Authorization: Bearer bob',
    'sender: bob',
    'uid: bob'
  ]) {
    const answer = await target.send({ lines: [...target.goodLines(), line] })
    const { got, want } = takeArrived()
    t.equal(answer?.status, 201, line)
    t.same(got, want, line)
  }
})

t.test('no header but the credential opens the door', async t => {
  for (const line of [
    'User-Agent: kube-probe/1.31',
    'User-Agent: ELB-HealthChecker/2.0',
    'X-Forwarded-For: 127.0.0.1',
    'X-Real-IP: ::1',
    'Forwarded: for=_internal',
    'X-Internal-Request: true',
    'X-CSRF: 1',
    'Origin: http://127.0.0.1',
    'Sec-Fetch-Site: same-origin',
    'X-Acting-For: alice',
    `X-Authorization: Bearer ${target.tokens.alice}`,
    `Proxy-Authorization: Bearer ${target.tokens.alice}`,
    `Cookie: token=${target.tokens.alice}`,
    `Cookie: connect.sid=${target.tokens.alice}`
  ]) {
    const answer = await target.send({ lines: ['Content-Type: application/json', line] })
    isRefusal(t, answer, 401, 'unauthenticated', line.slice(0, 40))
    t.match(answer?.headers['www-authenticate'], /^Bearer/)
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a trace context reaches CometChat when it is one, and nothing else in its place', async t => {
  const valid = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const answer = await target.send({ lines: [...target.goodLines(), `Traceparent: ${valid}`] })
  const arrived = takeArrived(valid)
  t.equal(answer?.status, 201)
  t.same(arrived.got, arrived.want)

  for (const value of [
    `${valid}x`,
    valid.toUpperCase(),
    '00-0',
    '',
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    '\xff'
  ]) {
    await target.send({ lines: [...target.goodLines(), `Traceparent: ${value}`] })
    const { got, want } = takeArrived()
    t.same(got, want, JSON.stringify(value))
  }
})

t.test('an X-Request-Id is repeated when it is safe and replaced when it is not', async t => {
  const safe = await target.send({ lines: [...target.goodLines(), 'X-Request-Id: trace-1234.ABC_9'] })
  t.equal(safe?.headers['x-request-id'], 'trace-1234.ABC_9')

  for (const value of [
    'a b c d e f',
    '<script>1</script>',
    '../../etc/passwd',
    'x'.repeat(65),
    '',
    'é'.repeat(9),
    '%0d%0aX: 1',
    'a'.repeat(7),
    '"12345678"',
    '{{12345678}}'
  ]) {
    const answer = await target.send({ lines: [...target.goodLines(), `X-Request-Id: ${value}`] })
    t.equal(answer?.status, 201, JSON.stringify(value))
    t.match(answer?.headers['x-request-id'], /^[0-9a-f-]{36}$/, 'a new id takes its place')
  }
  takeArrived()
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
