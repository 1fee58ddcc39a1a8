import t from 'tap'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'

// Sessions are on, and their store is away: none of these may get so far as to ask it.
const target = await startTarget(t, {
  env: { AUTH_SESSION_STORE_URL: 'redis://127.0.0.1:1', AUTH_SESSION_SECRET: 'a-secret-that-signs-session-cookies-1' },
  waitFor: 'listening'
})
const { alice, bob } = target.tokens
const json = 'Content-Type: application/json'
const asAlice = `Authorization: Bearer ${alice}`
const asBob = `Authorization: Bearer ${bob}`
const session = (value: string): string => `Cookie: connect.sid=${value}`

t.test('two credentials are refused in every pairing and order, and nobody is spoken for', async t => {
  const pairings: readonly (readonly [string, ...string[]])[] = [
    ['bearer of alice, then of bob', asAlice, asBob],
    ['bearer of bob, then of alice', asBob, asAlice],
    ['the same bearer twice', asAlice, asAlice],
    ['bearer twice, in another case', asAlice, `AUTHORIZATION: bearer ${bob}`],
    ['a bearer and an empty authorization', asAlice, 'Authorization:'],
    ['basic and bearer', 'Authorization: Basic YTpi', asAlice],
    ['bearer and session', asAlice, session('s%3Ax.y')],
    ['session and bearer', session('s%3Ax.y'), asAlice],
    ['bearer and an empty session', asAlice, 'Cookie: connect.sid='],
    ['bearer and a session among others', asAlice, 'Cookie: a=1; connect.sid=x; b=2'],
    ['bearer and a session without blanks', asAlice, 'Cookie: a=1;connect.sid=x;b=2'],
    ['bearer and a session with blanks', asAlice, 'Cookie: a=1;   connect.sid =x'],
    ['two sessions in one cookie header', 'Cookie: connect.sid=x; connect.sid=y'],
    ['two sessions in one cookie header, one of them twice', 'Cookie: connect.sid=x; connect.sid=x; connect.sid=y'],
    ['two equal sessions and a bearer', 'Cookie: connect.sid=x; connect.sid=x', asAlice],
    ['two cookie headers with a session each', session('x'), session('y')],
    ['two cookie headers, the session in the second, and a bearer', 'Cookie: a=1', session('y'), asAlice]
  ]

  for (const [name, ...lines] of pairings) {
    const answer = await target.send({ lines: [json, ...lines] })
    isRefusal(t, answer, 400, 'ambiguous-credentials', name)
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('one credential beside harmless cookies is one credential', async t => {
  for (const line of [
    'Cookie: theme=dark',
    'Cookie: connect_sid=x; Connect.sid=x; xconnect.sid=x; connect.sidx=x',
    'Cookie: a=connect.sid=x',
    'Cookie: connect.sid',
    'Cookie:'
  ]) {
    const answer = await target.send({ lines: [json, asBob, line] })
    t.equal(answer?.status, 201, line)
    t.same(
      target.takePosts().map(({ onBehalfOf }) => onBehalfOf),
      ['bob'],
      line
    )
  }
})

t.test('a credential is read in one spelling only, and the scheme in any case', async t => {
  for (const line of [`authorization: bearer ${alice}`, `AUTHORIZATION: BEARER   ${alice}`]) {
    const answer = await target.send({ lines: [json, line] })
    t.equal(answer?.status, 201, line.slice(0, 24))
    t.equal(target.takePosts().length, 1)
  }

  for (const value of [
    '',
    'Bearer',
    'Bearer ',
    alice,
    `Bearer${alice}`,
    `Bearer\t${alice}`,
    `Bearer "${alice}"`,
    `Bearer ${alice} x`,
    `Bearer ${alice}, Bearer ${bob}`,
    `Bearer ${alice},${bob}`,
    `Bearer token=${alice}`,
    `Bearer Bearer ${alice}`,
    `DPoP ${alice}`,
    `Basic ${Buffer.from(`alice:${alice}`).toString('base64')}`,
    `Bearer\xa0${alice}`,
    `Bearer ${alice}\xa0`
  ]) {
    const answer = await target.send({ lines: [json, `Authorization: ${value}`] })
    isRefusal(t, answer, 401, 'unauthenticated', JSON.stringify(value.slice(0, 16)))
    t.notMatch(answer?.body, alice.slice(-20), 'the token is not repeated')
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a caller who names another user speaks as nobody', async t => {
  for (const name of ['bob', 'alice', '', 'bob, alice', '__proto__', 'b'.repeat(200)]) {
    const answer = await target.send({ lines: [json, asAlice, `X-Acting-For: ${name}`] })
    isRefusal(t, answer, 403, 'forbidden', JSON.stringify(name.slice(0, 20)))
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a header that has one value is refused when it comes twice, whichever the values', async t => {
  const singles: readonly (readonly [string, string, string])[] = [
    ['Host', 'service.test', 'evil.example'],
    ['Content-Type', 'application/json', 'text/plain'],
    ['Content-Encoding', 'identity', 'gzip'],
    ['Expect', '100-continue', '100-continue'],
    ['Origin', 'https://a.example', 'https://b.example'],
    ['Sec-Fetch-Site', 'same-origin', 'cross-site'],
    ['Idempotency-Key', 'key-number-1', 'key-number-2'],
    ['X-CSRF', '1', '0'],
    ['X-Acting-For', 'a', 'b']
  ]

  for (const [name, one, other] of singles) {
    for (const values of [
      [one, other],
      [other, one],
      [one, one]
    ]) {
      const lines = values.map((value, index) => `${index === 0 ? name : name.toUpperCase()}: ${value}`)
      const kept = target.goodLines().filter(line => !line.startsWith(`${name}:`))
      const answer = await target.send({ lines: [...kept, ...lines], host: name !== 'Host' })
      isRefusal(t, answer, 400, 'malformed-request', `${name}: ${values.join(' and ')}`)
    }
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test(
  'a request without a host, or of another version of HTTP, is refused before its credential is looked at',
  async t => {
    const attempts = [
      { name: 'no host', host: false },
      { name: 'HTTP/1.0', version: 'HTTP/1.0' },
      { name: 'HTTP/1.0 kept alive', version: 'HTTP/1.0', extra: ['Connection: keep-alive'] },
      { name: 'HTTP/0.9 in words', version: 'HTTP/0.9' },
      { name: 'HTTP/2.0', version: 'HTTP/2.0' },
      { name: 'HTTP/1.2', version: 'HTTP/1.2' },
      { name: 'HTTP/1.1 in lower case', version: 'http/1.1' },
      { name: 'no version', version: '' },
      { name: 'a version of its own', version: 'HTTP/1.1x' }
    ]

    for (const { name, extra = [], ...request } of attempts) {
      const answer = await target.send({ lines: [...target.goodLines(), ...extra], ...request })
      isRefusal(t, answer, 400, 'malformed-request', name)
    }
    const preface = target.open(t)
    preface.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    isRefusal(t, (await preface.waitForAnswers(1))[0], 400, 'malformed-request', 'the preface of HTTP/2')
    t.ok(await preface.ended(), 'and its connection is closed')
    t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
  }
)

t.test('a host that is not ours changes nothing', async t => {
  for (const host of ['evil.example', 'evil.example:1', '', '127.0.0.1', '[::1]', 'a.b@evil.example']) {
    const answer = await target.send({ lines: [`Host: ${host}`, ...target.goodLines()], host: false })
    const [first] = target.emulator.requests.filter(({ method }) => method === 'POST')
    t.equal(answer?.status, 201, JSON.stringify(host))
    t.equal(first?.headers['host'], new URL(target.emulator.url).host)
    target.takePosts()
  }
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
