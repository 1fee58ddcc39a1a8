import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'

const target = await startTarget(t)
const MAX_BODY_BYTES = 256 * 1024
const MAX_MESSAGE_CHARACTERS = 65_536
const MAX_HEADER_BYTES = 16 * 1024
const list = <T>(length: number, item: (index: number) => T): T[] => Array.from({ length }, (_, index) => item(index))
const text = { data: { text: 'hello' } }
const image = { url: 'https://cdn.example/a.png', name: 'a.png', mimeType: 'image/png', extension: 'png' }

/** Asserts that a body is posted as it is; without a picture of it, which would be 65,536 characters long. */
async function isPosted(t: Test, name: string, body: object): Promise<void> {
  const answer = await target.post({ body })
  t.equal(answer.status, 201, name)
  const [arrived = {}, ...more] = target.takeBodies()
  const sameMembers = Object.entries(body).every(([member, value]) => isDeepStrictEqual(arrived[member], value))
  t.ok(sameMembers && more.length === 0, `${name}: arrives as it was sent`)
}

async function isTooMuch(t: Test, name: string, body: object, pointer: string): Promise<void> {
  const answer = await target.post({ body })
  isRefusal(t, answer, 422, 'invalid-request', name)
  t.match(answer.json.errors, [{ pointer, code: /^too-(long|many)$/, limit: Number, actual: Number }], name)
  const [{ limit, actual }] = answer.json.errors
  t.ok(actual > limit, `${name}: ${actual} of ${limit}`)
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
}

t.test('a body of 256 KiB is read, and one byte more is not, whether it is announced or not', async t => {
  const message = Buffer.from(target.goodBody())
  for (const [bytes, status] of [
    [MAX_BODY_BYTES - 1, 201],
    [MAX_BODY_BYTES, 201],
    [MAX_BODY_BYTES + 1, 413],
    [2 * MAX_BODY_BYTES, 413]
  ] as const) {
    const body = Buffer.concat([message, Buffer.alloc(bytes - message.length, ' ')])
    const half = bytes >> 1
    const chunks = [body.subarray(0, half), body.subarray(half)].flatMap(chunk => [
      Buffer.from(`${chunk.length.toString(16)}\r\n`),
      chunk,
      Buffer.from('\r\n')
    ])
    const chunked = Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')])

    const announced = await target.send({ lines: target.goodLines(), body })
    const unannounced = await target.send({
      lines: [...target.goodLines(), 'Transfer-Encoding: chunked'],
      body: chunked,
      sized: false
    })

    for (const answer of [announced, unannounced]) {
      t.equal(answer?.status, status, `${bytes} bytes`)
      if (status === 413) isRefusal(t, answer, 413, 'payload-too-large')
    }
    t.equal(target.takeBodies().length, status === 201 ? 2 : 0)
  }
})

t.test('a body announced as far too large is refused before it is sent', async t => {
  for (const length of ['262145', '99999999999', '9007199254740993']) {
    const client = target.open(t)
    client.send(
      `POST ${target.path} HTTP/1.1\r\nHost: x\r\n${target.goodLines().join('\r\n')}\r\nContent-Length: ${length}\r\n\r\n`
    )
    const [answer] = await client.waitForAnswers(1)
    isRefusal(t, answer, 413, 'payload-too-large', length)
    client.socket.destroy()
  }
  t.same(target.emulator.requests, [])
})

t.test('a whole message has at most 65,536 characters when it arrives, counted as characters', async t => {
  const message = { receiver: 'bob', receiverType: 'user', category: 'message', type: 'text', data: { text: '' } }
  await target.post({ body: { ...message, data: { text: 'x' } } })
  const [probe] = target.emulator.requests.filter(({ method }) => method === 'POST')
  const emptyLength = (probe?.body.length ?? 0) - 1
  const messageOf = (characters: number, unit: string) => ({
    ...message,
    data: { text: unit.repeat(characters - emptyLength) }
  })
  target.takePosts()

  for (const unit of ['a', 'é', '日']) {
    await isPosted(t, `${unit}: one less`, messageOf(MAX_MESSAGE_CHARACTERS - 1, unit))
    await isPosted(t, `${unit}: all of them`, messageOf(MAX_MESSAGE_CHARACTERS, unit))
    await isTooMuch(t, `${unit}: one more`, messageOf(MAX_MESSAGE_CHARACTERS + 1, unit), '')
  }
  await isPosted(t, '60,000 emoji', messageOf(60_000, '😀'))
  const short = JSON.stringify(messageOf(MAX_MESSAGE_CHARACTERS + 1, 'a')).replaceAll('aaaa', 'aa\\u0061a')
  isRefusal(t, await target.post({ body: short }), 422, 'invalid-request', 'escapes on the wire change nothing')
  t.same(target.emulator.requests, [])
})

t.test('each list and each text ends at its limit', async t => {
  const limits: readonly (readonly [string, number, (count: number) => object, string])[] = [
    ['tags', 25, count => ({ ...text, tags: list(count, index => `tag-${index}`) }), '/tags'],
    ['a tag', 100, count => ({ ...text, tags: ['x'.repeat(count)] }), '/tags/0'],
    ['a tag of emoji', 100, count => ({ ...text, tags: ['😀'.repeat(count)] }), '/tags/0'],
    [
      'mentioned users',
      10,
      count => ({ data: { text: list(count, index => `<@uid:user${index}>`).join(' ') } }),
      '/data/text'
    ],
    [
      'mentions',
      10,
      count => ({ data: { text: 'a', mentions: Object.fromEntries(list(count, index => [`u${index}`, {}])) } }),
      '/data/mentions'
    ],
    [
      'attachments',
      25,
      count => ({ type: 'image', data: { attachments: list(count, () => image) } }),
      '/data/attachments'
    ],
    [
      'members of metadata',
      64,
      count => ({ data: { text: 'a', metadata: Object.fromEntries(list(count, index => [`k${index}`, index])) } }),
      '/data/metadata'
    ],
    [
      'a url',
      8192,
      count => ({ type: 'image', data: { url: image.url + 'x'.repeat(count - image.url.length) } }),
      '/data/url'
    ],
    [
      'the name of a file',
      255,
      count => ({ type: 'file', data: { attachments: [{ ...image, name: 'n'.repeat(count) }] } }),
      '/data/attachments/0/name'
    ],
    ['a muid', 255, count => ({ ...text, muid: 'm'.repeat(count) }), '/muid'],
    ['a type', 100, count => ({ category: 'custom', type: 't'.repeat(count), data: { customData: { a: 1 } } }), '/type']
  ]

  for (const [name, limit, build, pointer] of limits) {
    await isPosted(t, `${name}: one less`, build(limit - 1))
    await isPosted(t, `${name}: ${limit}`, build(limit))
    await isTooMuch(t, `${name}: one more`, build(limit + 1), pointer)
  }
})

t.test('the same user mentioned a hundred times is one user', async t => {
  await isPosted(t, 'mentions', { data: { text: '<@uid:bob> '.repeat(100) } })
})

t.test('an empty list or an empty item is refused', async t => {
  for (const [name, body] of Object.entries({
    tag: { ...text, tags: [''] },
    attachments: { type: 'image', data: { attachments: [] } },
    muid: { ...text, muid: '' },
    receiver: { ...text, receiver: '', receiverType: 'user' },
    type: { ...text, type: '' }
  })) {
    isRefusal(t, await target.post({ body }), 422, 'invalid-request', name)
  }
  t.same(target.emulator.requests, [])
})

t.test('several receivers end at 25, users and groups together', async t => {
  const receivers = (uids: number, guids: number) => ({
    ...text,
    multipleReceivers: { uids: list(uids, index => `u${index}`), guids: list(guids, index => `g${index}`) }
  })

  await isTooMuch(t, '26 users', receivers(26, 0), '/multipleReceivers')
  await isTooMuch(t, '13 of each', receivers(13, 13), '/multipleReceivers')
  await isTooMuch(t, 'very many', receivers(1001, 0), '/multipleReceivers/uids')
  await target.post({ body: receivers(13, 12) })
  t.match(target.takeBodies(), [receivers(13, 12)], '25 reach CometChat')
})

t.test('headers end at 16 KiB, and a request target with them', async t => {
  const base = target.goodLines().join('\r\n').length
  const fits = await target.send({
    lines: [...target.goodLines(), `X-Pad: ${'x'.repeat(MAX_HEADER_BYTES - base - 300)}`]
  })
  t.equal(fits?.status, 201)
  t.equal(target.takeBodies().length, 1)

  for (const request of [
    { lines: [...target.goodLines(), `X-Pad: ${'x'.repeat(MAX_HEADER_BYTES)}`] },
    { lines: [...target.goodLines(), `${'x'.repeat(MAX_HEADER_BYTES)}: 1`] },
    { lines: [...target.goodLines(), ...list(200, index => `X-${index}: ${'y'.repeat(100)}`)] },
    { lines: target.goodLines(), target: `/${'x'.repeat(MAX_HEADER_BYTES)}` }
  ]) {
    isRefusal(t, await target.send(request), 431, 'headers-too-large')
  }
  t.same(target.emulator.requests, [])
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
