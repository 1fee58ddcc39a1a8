import t, { type Test } from 'tap'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'

const target = await startTarget(t)
const text = { data: { text: 'hello' } }
const image = { url: 'https://cdn.example/a.png', name: 'a.png', mimeType: 'image/png', extension: 'png' }
const media = (...attachments: unknown[]) => ({ type: 'image', data: { attachments } })

/** Asserts that a body is refused for exactly these reasons, each a pointer and a code, and reaches nobody. */
async function isInvalid(t: Test, name: string, body: unknown, ...expected: string[]): Promise<void> {
  const answer = await target.post({ body })
  isRefusal(t, answer, 422, 'invalid-request', name)
  const errors: { pointer: string; code: string; detail: string }[] = answer.json?.errors ?? []
  t.same(errors.map(({ pointer, code }) => `${pointer} ${code}`).sort(), expected.sort(), name)
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
}

t.test('a member that is not known is refused at every level, with a pointer to it', async t => {
  await isInvalid(t, 'top', { ...text, colour: 1 }, '/colour unknown-member')
  await isInvalid(t, 'top, two', { ...text, a: 1, b: 2 }, '/a unknown-member', '/b unknown-member')
  await isInvalid(
    t,
    'multipleReceivers',
    { ...text, multipleReceivers: { uids: ['bob'], all: 1 } },
    '/multipleReceivers/all unknown-member'
  )
  await isInvalid(t, 'a known name in another case', { Data: { text: 'a' }, ...text }, '/Data unknown-member')
  await isInvalid(t, 'a known name with a blank', { ...text, 'tags ': [] }, ' unknown-member')
  await isInvalid(t, 'a name that would be markup', { ...text, '<script>': 1 }, ' unknown-member')
  await isInvalid(t, 'a name that would be a path', { ...text, 'a/b~c': 1 }, ' unknown-member')
  await isInvalid(t, 'no name', { ...text, '': 1 }, ' unknown-member')
})

t.test('a member that another one stands for is refused with the place where it belongs', async t => {
  for (const name of [
    'text',
    'metadata',
    'customData',
    'caption',
    'parentMessageId',
    'interactions',
    'mentionedUsers'
  ]) {
    const answer = await target.post({ body: { ...text, [name]: 1 } })
    t.match(answer.json.errors, [{ pointer: `/${name}`, code: 'unknown-member', detail: /^It belongs/ }], name)
  }
})

t.test('further members of data and of an attachment arrive as they were sent', async t => {
  const further = { foo: [null, { deep: '\u{1f600}' }], updateConversation: true, sendNotification: false, muids: 1 }
  const attachment = { ...image, duration: 1.5, width: null, mimeType: 'video/webm;codecs=vp8,opus', extension: '' }
  const plain = { url: image.url, name: 'LICENSE' }
  const bodies = [
    { data: { text: 'a', ...further, mentions: { bob: { uid: 'bob' } } } },
    { type: 'video', data: { ...further, attachments: [attachment, plain, { ...plain, mimeType: '' }] } }
  ]

  for (const body of bodies) {
    t.equal((await target.post({ body })).status, 201)
    t.match(target.takeBodies(), [body])
  }
})

t.test('muid and the id of a quoted message arrive as they were sent; what is none is refused', async t => {
  for (const quotedMessageId of [1, 2 ** 53 - 1, '1', '9223372036854775807']) {
    t.equal((await target.post({ body: { ...text, muid: '_5zytzmceo', quotedMessageId } })).status, 201)
    t.match(target.takeBodies(), [{ muid: '_5zytzmceo', quotedMessageId }])
  }
  for (const wrong of [0, -1, 1.5, '0', '', 'a', null, true]) {
    const answer = await target.post({ body: { ...text, quotedMessageId: wrong } })
    isRefusal(t, answer, 422, 'invalid-request', String(wrong))
    t.match(answer.json.errors, [{ pointer: '/quotedMessageId' }])
  }
  for (const wrong of [1, '', null])
    await isInvalid(t, `muid ${wrong}`, { ...text, muid: wrong }, wrong === '' ? '/muid too-short' : '/muid wrong-type')
})

t.test('an empty url is left out beside attachments, and nowhere else', async t => {
  t.equal((await target.post({ body: { type: 'image', data: { url: '', attachments: [image] } } })).status, 201)
  const [got] = target.takeBodies()
  t.match(got, { data: { attachments: [image], url: undefined } })
  await isInvalid(t, 'alone', { type: 'image', data: { url: '' } }, '/data/url wrong-format')
})

t.test('what CometChat writes below data is not for callers', async t => {
  for (const name of ['entities', 'moderation', 'reactions', 'resource', 'action', 'Entities']) {
    const answer = await target.post({ body: { data: { text: 'a', [name]: {} } } })
    isRefusal(t, answer, 400, 'reserved-name', name)
    t.match(answer.json.errors, [{ pointer: `/data/${name}` }])
  }
})

t.test('a value of the wrong type is refused and never coerced', async t => {
  for (const wrong of [1, 0, true, null, ['text'], { a: 1 }]) {
    const name = JSON.stringify(wrong)
    await isInvalid(t, `text ${name}`, { data: { text: wrong } }, '/data/text wrong-type')
    await isInvalid(t, `type ${name}`, { ...text, type: wrong }, '/type wrong-type')
    const receiver = { receiver: wrong, receiverType: 'user' }
    await isInvalid(t, `receiver ${name}`, { ...text, ...receiver }, '/receiver wrong-type')
    await isInvalid(t, `tag ${name}`, { ...text, tags: ['a', wrong] }, '/tags/1 wrong-type')
    await isInvalid(t, `url ${name}`, { type: 'image', data: { url: wrong } }, '/data/url wrong-type')
    await isInvalid(
      t,
      `uid ${name}`,
      { ...text, multipleReceivers: { uids: [wrong] } },
      '/multipleReceivers/uids/0 wrong-type'
    )
  }
  for (const wrong of ['1', '', 'null', '{}', 1, true, null]) {
    const name = JSON.stringify(wrong)
    await isInvalid(t, `data ${name}`, { data: wrong }, '/data wrong-type')
    await isInvalid(t, `metadata ${name}`, { data: { text: 'a', metadata: wrong } }, '/data/metadata wrong-type')
    await isInvalid(t, `tags ${name}`, { ...text, tags: wrong }, '/tags wrong-type')
    await isInvalid(
      t,
      `attachments ${name}`,
      { type: 'image', data: { attachments: wrong } },
      '/data/attachments wrong-type'
    )
    await isInvalid(
      t,
      `several receivers ${name}`,
      { ...text, multipleReceivers: wrong },
      '/multipleReceivers wrong-type'
    )
  }
  await isInvalid(t, 'data as a list', { data: [{ text: 'a' }] }, '/data wrong-type')
  await isInvalid(t, 'metadata as a list', { data: { text: 'a', metadata: [1] } }, '/data/metadata wrong-type')
  await isInvalid(
    t,
    'custom data as a list',
    { category: 'custom', type: 'x', data: { customData: [1] } },
    '/data/customData wrong-type'
  )
})

t.test('a value outside of what CometChat knows is refused', async t => {
  await isInvalid(t, 'a category of the server', { ...text, category: 'action' }, '/category not-allowed')
  await isInvalid(t, 'a category in capitals', { ...text, category: 'MESSAGE' }, '/category not-allowed')
  await isInvalid(t, 'a receiver type', { ...text, receiver: 'bob', receiverType: 'app' }, '/receiverType not-allowed')
  await isInvalid(t, 'a type', { ...text, type: 'poll' }, '/type not-allowed')
  await isInvalid(t, 'no text', { data: {} }, '/data/text missing')
  await isInvalid(t, 'an empty text', { data: { text: '' } }, '/data/text too-short')
  await isInvalid(t, 'no data', { type: 'text' }, '/data missing')
  await isInvalid(t, 'media without media', { type: 'video', data: { text: 'a' } }, '/data/attachments missing')
  await isInvalid(t, 'text with media', { data: { text: 'a', url: 'https://a.example/' } }, '/data/url not-allowed')
  await isInvalid(
    t,
    'text with custom data',
    { data: { text: 'a', customData: { a: 1 } } },
    '/data/customData not-allowed'
  )
  await isInvalid(
    t,
    'custom without custom data',
    { category: 'custom', data: { text: 'a' } },
    '/data/customData missing'
  )
  await isInvalid(t, 'empty custom data', { category: 'custom', data: { customData: {} } }, '/data/customData too-few')
  await isInvalid(t, 'no receivers', { ...text, multipleReceivers: {} }, '/multipleReceivers too-few')
  await isInvalid(t, 'a receiver alone', { ...text, receiver: 'bob' }, '/receiverType missing')
  await isInvalid(t, 'a receiver type alone', { ...text, receiverType: 'user' }, '/receiver missing')
})

t.test('an address of media that is not a plain https URL is refused', async t => {
  for (const url of [
    'http://cdn.example/a.png',
    '//cdn.example/a.png',
    'javascript:alert(1)',
    'data:image/png;base64,AA==',
    'file:///etc/passwd',
    'HTTPS://cdn.example/',
    ' https://cdn.example/',
    'https://cdn.example/a b',
    'https://cdn.\nexample/',
    'https://cdn.example/\u00a0',
    'https://',
    'https://[::1',
    'https:cdn.example',
    'https:/\\cdn.example',
    ''
  ]) {
    await isInvalid(t, JSON.stringify(url), { type: 'image', data: { url } }, '/data/url wrong-format')
    await isInvalid(t, JSON.stringify(url), media(image, { ...image, url }), '/data/attachments/1/url wrong-format')
  }
})

t.test('a member that would set identity is refused in every spelling, beside the others', async t => {
  const words = ['sender', 'onBehalfOf', 'uid', 'parentId', 'apikey', 'appId', 'authToken']
  const spellings = [
    ...words,
    'on_behalf_of',
    'on-behalf-of',
    'ON_BEHALF_OF',
    'parent_id',
    'Parent-Id',
    'PARENTID',
    'Sender',
    'api_key',
    'Api-Key',
    'auth_token',
    '_uid',
    'u-i-d',
    'MUID',
    'app_id'
  ]

  for (const name of spellings) {
    for (const value of ['mallory', null, 1, {}]) {
      for (const [pointer, body] of [
        [`/${name}`, { ...text, [name]: value }],
        [`/data/${name}`, { data: { text: 'a', [name]: value } }]
      ] as const) {
        const answer = await target.post({ body })
        isRefusal(t, answer, 400, 'reserved-name', pointer)
        t.same(
          answer.json.errors.map((error: { pointer: string }) => error.pointer),
          [pointer]
        )
        t.notMatch(answer.text, 'mallory')
      }
    }
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')
})

t.test('the marker of this service and the place of extensions cannot be set in metadata', async t => {
  for (const name of ['bffDelivery', '@injected']) {
    const answer = await target.post({ body: { data: { text: 'a', metadata: { [name]: 'forged' } } } })
    isRefusal(t, answer, 400, 'reserved-name', name)
    t.same(
      answer.json.errors.map((error: { pointer: string }) => error.pointer),
      [`/data/metadata/${name}`]
    )
  }
  t.same(target.emulator.requests, [], 'CometChat sees nothing of it')

  const metadata = { sender: 'x', uid: 'y', deeper: { bffDelivery: 1, '@injected': 1, parentId: 2 } }
  const answer = await target.post({ body: { data: { text: 'a', metadata } } })
  t.equal(answer.status, 201, 'other names, and deeper ones, belong to the client')
  t.match(target.takeBodies(), [{ data: { metadata } }])
})

t.test('a refusal repeats no value', async t => {
  const canary = 'canary-7f3a'
  const answers = [
    await target.post({
      body: { data: { text: [canary] }, type: canary, category: canary, tags: canary, [`${canary} `]: canary }
    }),
    await target.post({ body: { receiver: { canary }, receiverType: canary, data: { url: canary } } }),
    await target.post({
      body: media({ url: canary, name: [canary], mimeType: canary, extension: canary.repeat(9), size: canary })
    }),
    await target.post({ body: canary }),
    await target.post({ body: { sender: canary, data: { uid: canary } } })
  ]

  for (const answer of answers) {
    t.ok([400, 422].includes(answer.status))
    t.notMatch(answer.text.replaceAll(`"/${canary}`, '"'), canary)
    t.notMatch(JSON.stringify([...answer.headers]), canary)
  }
  t.notMatch(target.service.output.join('\n'), canary, 'nor does the log')
  t.same(target.emulator.requests, [])
})

t.test('after all of it an ordinary reply is posted', async t => stillServes(t, target))
