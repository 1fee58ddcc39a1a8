import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { hostileBytes } from '../../helpers/hostile-client.ts'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'

const target = await startTarget(t)
const users = ['alice', 'bob', 'carol'] as const
const group = `/threads/${target.groupParentId}/replies`

/** One whole reply into the group. */
function reply(user: (typeof users)[number], text: string, ...extra: string[]): Buffer {
  return hostileBytes({ target: group, lines: [...target.goodLines(user), ...extra], body: target.goodBody(text) })
}

/** The head of a reply without its body. */
function head(...lines: string[]): string {
  return [`POST ${group} HTTP/1.1`, 'Host: service.test', ...target.goodLines(), ...lines, '', ''].join('\r\n')
}

const posts = (): string[] =>
  target.takePosts().map(({ onBehalfOf, message }) => `${onBehalfOf}: ${message.data['text']}`)

/** Sends each part after a pause; resolves with what came back within the time that an answer takes. */
async function exchange(t: Test, parts: readonly (string | Buffer)[], count: number) {
  const client = target.open(t)
  for (const [index, part] of parts.entries()) {
    if (index > 0) await sleep(50)
    client.send(typeof part === 'string' ? Buffer.from(part, 'latin1') : part)
  }
  await client.waitForAnswers(count)
  await sleep(100)
  return { client, answers: client.answers(), hasEnded: await client.ended(0) }
}

t.test(
  'requests of several users on one connection are each posted under their own name, and answered in order',
  async t => {
    const order = Array.from({ length: 30 }, (_, index) => users[(index * 7) % 3] ?? 'alice')
    const { answers } = await exchange(
      t,
      [Buffer.concat(order.map((user, index) => reply(user, `${user} ${index}`)))],
      30
    )

    t.same(
      answers.map(({ json }) => `${json.data.sender}: ${json.data.data.text}`),
      order.map((user, index) => `${user}: ${user} ${index}`)
    )
    t.same(posts().sort(), order.map((user, index) => `${user}: ${user} ${index}`).sort())
  }
)

t.test('a refused request among others takes nobody else with it', async t => {
  const bad = reply('alice', 'refused').toString().replace('Bearer ', 'Bearer x')
  const { answers } = await exchange(t, [reply('alice', 'one') + bad + reply('bob', 'two')], 3)

  t.same(
    answers.map(({ status }) => status),
    [201, 401, 201]
  )
  t.same(posts().sort(), ['alice: one', 'bob: two'])
})

t.test('a request split at any byte is read as one', async t => {
  const bytes = reply('alice', 'split')
  for (const at of [1, 5, 30, bytes.length - 40, bytes.length - 3, bytes.length - 1]) {
    const { answers } = await exchange(
      t,
      [bytes.subarray(0, at), Buffer.concat([bytes.subarray(at), reply('bob', 'next')])],
      2
    )
    t.same(
      answers.map(({ json }) => json.data.sender),
      ['alice', 'bob'],
      `split at ${at}`
    )
    t.same(posts().sort(), ['alice: split', 'bob: next'])
  }
})

t.test('a request is never answered twice', async t => {
  const badToken = head('Transfer-Encoding: chunked').replace('Bearer ', 'Bearer x')
  for (const [name, first, status] of [
    ['no sign-in', badToken, 401],
    ['an encoded body', head('Transfer-Encoding: chunked', 'Content-Encoding: gzip'), 415],
    ['a reserved header', head('Transfer-Encoding: chunked', 'apikey: x'), 400],
    ['another address', 'POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n', 404],
    ['a path that cannot be decoded', 'POST /threads/% HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n', 400]
  ] as const) {
    const client = target.open(t)
    client.send(first)
    await client.waitForAnswers(1)
    client.send(`no chunk\r\n${reply('bob', 'behind')}`)

    t.ok(await client.ended(), `${name}: the connection ends`)
    t.same(
      client.answers().map(answer => answer.status),
      [status],
      `${name}, then a broken body`
    )
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('garbage behind a reply takes neither the reply nor its answer away', async t => {
  target.emulator.failNext({ kind: 'delay', delayMs: 200 }, { method: 'POST' })
  const { answers, hasEnded } = await exchange(
    t,
    [reply('alice', 'whole'), `garbage\r\n\r\n${reply('bob', 'behind')}`],
    2
  )

  t.same(
    answers.map(({ status }) => status),
    [201]
  )
  t.ok(hasEnded, 'the connection ends')
  t.same(posts(), ['alice: whole'])
})

t.test('a body longer or shorter than announced posts nothing that was not meant', async t => {
  const body = target.goodBody('meant')
  for (const [name, bytes, expected] of [
    ['no length at all', head() + body, [400]],
    ['a length five too short', head(`Content-Length: ${body.length - 5}`) + body, [400]],
    ['a length of nothing', head('Content-Length: 0') + body, [400]],
    [
      'a length that takes in the next request',
      head(`Content-Length: ${body.length + 100}`) + body + reply('bob', 'behind'),
      [400]
    ]
  ] as const) {
    const { answers, hasEnded } = await exchange(t, [bytes], expected.length)
    t.same(
      answers.map(({ status }) => status),
      expected,
      name
    )
    for (const answer of answers) isRefusal(t, answer, 400, 'malformed-request', name)
    t.ok(hasEnded, 'the connection ends')
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('a valid reply behind a body that is too large is read as one, or the connection ends', async t => {
  const large = 'x'.repeat(300_000)
  const chunk = `${large.length.toString(16)}\r\n${large}\r\n`
  for (const [name, first, rest] of [
    ['announced', head(`Content-Length: ${large.length}`), large],
    ['announced, in one piece', head(`Content-Length: ${large.length}`) + large, ''],
    ['in chunks', head('Transfer-Encoding: chunked') + chunk, '0\r\n\r\n'],
    ['in endless chunks', head('Transfer-Encoding: chunked') + chunk, chunk]
  ] as const) {
    const { answers, hasEnded } = await exchange(t, [first, rest + reply('bob', 'behind')], 1)
    isRefusal(t, answers[0], 413, 'payload-too-large', name)
    const second = answers[1]?.status
    t.ok((second === undefined && hasEnded) || second === 201, `${name}: then ${second ?? 'the end'}`)
    t.same(posts(), second === 201 ? ['bob: behind'] : [])
  }
})

t.test('a request that asks for another protocol is answered in this one, and its connection ends', async t => {
  const next = reply('bob', 'behind')
  for (const upgrade of ['h2c', 'websocket', 'TLS/1.2', 'x']) {
    const first = reply(
      'alice',
      upgrade,
      'Connection: Upgrade, HTTP2-Settings',
      `Upgrade: ${upgrade}`,
      'HTTP2-Settings: AAMAAABk'
    )
    // Node loses what stands right behind such a request: the rest must not be taken for the beginning of another.
    const { answers, hasEnded } = await exchange(
      t,
      [Buffer.concat([first, next.subarray(0, 50)]), next.subarray(50)],
      2
    )
    t.same(
      answers.map(({ status }) => status),
      [201],
      upgrade
    )
    t.equal(answers[0]?.headers['connection'], 'close')
    t.ok(hasEnded, 'the connection ends')
    t.same(posts(), [`alice: ${upgrade}`])
  }
})

t.test('trailers set nothing', async t => {
  const body = target.goodBody('first')
  const trailers = [
    'onBehalfOf: mallory',
    'apikey: x',
    `Authorization: Bearer ${target.tokens.bob}`,
    'Content-Type: text/plain'
  ]
  const bytes = `${head('Transfer-Encoding: chunked', 'Trailer: onBehalfOf')}${body.length.toString(16)}\r\n${body}\r\n0\r\n`
  const { answers } = await exchange(t, [`${bytes}${trailers.join('\r\n')}\r\n\r\n`], 1)
  t.same(
    answers.map(({ status }) => status),
    [201]
  )
  t.same(posts(), ['alice: first'])

  const endless = await exchange(t, [`${bytes}${'X: y\r\n'.repeat(5000)}\r\n`], 1)
  isRefusal(t, endless.answers[0], 431, 'headers-too-large', 'thousands of them')
  t.same(posts(), [])
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
