// What is asked of a thread that cannot be answered, or must not be: each its problem, and CometChat is asked no more than it
// takes to know.
import t, { type Test } from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem, type ProblemCode } from '../../helpers/problem.ts'
import { connectRaw, requestBytes } from '../../helpers/raw-http.ts'
import { postReply, type ReplyAnswer, startEmulator } from '../../helpers/thread.ts'
import { askThread, type ThreadCall } from '../../helpers/thread-reader.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const { emulator, env, parentId } = await startEmulator(t)
const service = await hostService(t, env)
const other = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user', sentAtMs: Date.now() })

interface Row {
  readonly what: string
  /** What follows `/threads/`, on the wire as it stands here. */
  readonly path: string
  readonly call?: ThreadCall
  readonly code: ProblemCode
  readonly pointer?: string
  /** What CometChat is asked, in this order; nothing unless given. */
  readonly asked?: readonly string[]
}

/** Asks without a client that would tidy the path. */
async function ask(t: Test, { path, call = {} }: Row): Promise<ReplyAnswer> {
  const { as = 'alice', method = 'GET', body } = call
  const connection = await connectRaw(t, service.url)
  const headers = { authorization: `Bearer ${await tokenFor(as)}`, connection: 'close' }
  const isBody = body !== undefined
  const text = isBody ? JSON.stringify(body) : ''
  connection.send(
    requestBytes(
      `${method} /threads/${path}`,
      { ...headers, ...(isBody && { 'content-type': 'application/json' }) },
      text
    )
  )
  return connection.answer()
}

const post = async (parent = parentId): Promise<string> => (await postReply(service, { parentId: parent })).json.data.id
const EDIT = { method: 'PATCH', body: { data: { text: 'x' } } } as const
const DELETE = { method: 'DELETE' } as const
const shownAt = (id: string): string => `GET /v3/messages/${id}`

const own = await post()
const elsewhere = await post(other.id)
const deleted = await post()
await askThread(service, `${parentId}/replies/${deleted}`, DELETE)
const { older } = (await askThread(service, `${parentId}/replies?limit=1`)).json.page
const changed = `${older.slice(0, 20)}${older[20] === 'A' ? 'B' : 'A'}${older.slice(21)}`
const earlier = await hostService(t, env)
const { older: another } = (await askThread(earlier, `${parentId}/replies?limit=1`)).json.page

const CURSORS: readonly (readonly [what: string, cursor: string, as?: string, parent?: string])[] = [
  ['of another user', older, 'bob'],
  ['of another thread', older, 'alice', other.id],
  ['changed', changed],
  ['of a process that is gone', another],
  ['of 10 kB', 'A'.repeat(10_000)],
  ['with one character more', `${older}A`],
  ['with one less', older.slice(1)],
  ['none', 'x'],
  ['empty', ''],
  ['twice', `${older}&cursor=${older}`]
]
const cursors: Row[] = CURSORS.map(([what, cursor, as = 'alice', parent = parentId]) => ({
  what: `a cursor: ${what}`,
  path: `${parent}/replies?cursor=${cursor}`,
  call: { as },
  code: 'invalid-request',
  pointer: '/cursor'
}))

const limits: Row[] = [
  '0',
  '-1',
  '1e9',
  '101',
  '',
  '%201',
  '1.5',
  'x',
  '0x10',
  '%2B5',
  '9'.repeat(30),
  '5&limit=6'
].map(limit => ({
  what: `limit=${limit}`,
  path: `${parentId}/replies?limit=${limit}`,
  code: 'invalid-request',
  pointer: '/limit'
}))

const NO_IDS = ['..', '.', '%2E', '%2e%2E', '%2E%2E%2F1', 'x', '-1', '0', '1'.repeat(20), '1.0', '%31', '%D9%A1']
const noIds: Row[] = NO_IDS.flatMap(id => [
  { what: `a thread ${id}`, path: id, code: 'invalid-request', pointer: '/parentId' },
  { what: `replies of ${id}`, path: `${id}/replies`, code: 'invalid-request', pointer: '/parentId' },
  ...[EDIT, DELETE].map(
    (call): Row => ({
      what: `${call.method} ${id}`,
      path: `${parentId}/replies/${id}`,
      call,
      code: 'invalid-request',
      pointer: '/replyId'
    })
  )
])

/** To know whose message it is, CometChat is asked once, and nothing is changed. */
const others: Row[] = [EDIT, DELETE].flatMap(call => {
  const change = (what: string, reply: string, code: ProblemCode, as = 'alice', parent = parentId): Row => ({
    what: `${call.method}: ${what}`,
    path: `${parent}/replies/${reply}`,
    call: { ...call, as },
    code,
    asked: [shownAt(reply)]
  })
  return [
    change("somebody else's reply", own, 'not-yours', 'bob'),
    change('a reply that this user may not see', own, 'thread-not-found', 'mallory'),
    change('a reply of another thread', elsewhere, 'thread-not-found'),
    change('a reply under another thread', own, 'thread-not-found', 'alice', other.id),
    change('the parent itself', parentId, 'thread-not-found'),
    change('no message', '999999', 'thread-not-found'),
    ...(call === EDIT ? [change('a deleted reply', deleted, 'thread-not-found')] : [])
  ]
})

const edits: Row[] = (
  [
    ['with nothing', undefined, 'unsupported-media-type', undefined],
    ['with null', null, 'invalid-request', ''],
    ['of whose it is', { sender: 'bob', data: { text: 'x' } }, 'reserved-name', '/sender'],
    ['of where it is', { parentId: other.id, data: { text: 'x' } }, 'reserved-name', '/parentId']
  ] as const
).map(([what, body, code, pointer]) => ({
  what: `an edit ${what}`,
  path: `${parentId}/replies/${own}`,
  call: { method: 'PATCH', body },
  code,
  ...(pointer !== undefined && { pointer })
}))

const unknown: Row[] = ['page=2', 'limit=1&before=5'].map(query => ({
  what: `a query of something else: ${query}`,
  path: `${parentId}/replies?${query}`,
  code: 'invalid-request',
  pointer: `/${query.includes('page') ? 'page' : 'before'}`
}))

for (const row of [...cursors, ...limits, ...noIds, ...others, ...edits, ...unknown]) {
  t.test(row.what.slice(0, 80), async t => {
    emulator.clear()
    const answer = await ask(t, row)
    expectProblem(t, answer, row.code)
    if (row.pointer !== undefined) t.equal(answer.json.errors?.[0]?.pointer, row.pointer)
    const asked = emulator.requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)
    t.same(asked, row.asked ?? [])
  })
}

t.test('a key in a thread that is not there, or that this user may not see', async t => {
  for (const [parent, as] of [
    ['999999', 'alice'],
    [parentId, 'mallory']
  ] as const) {
    emulator.clear()
    expectProblem(t, await askThread(service, `${parent}/replies/by-key/unused`, { as }), 'thread-not-found')
    t.ok(emulator.requests.length <= 2, `${emulator.requests.length} calls`)
  }
})

t.test('where tokens are off there is no such address', async t => {
  for (const method of ['POST', 'DELETE', 'GET']) {
    const response = await fetch(`${service.url}/cometchat/token`, {
      method,
      headers: { authorization: `Bearer ${await tokenFor('alice')}` }
    })
    t.match([response.status, await response.json()], [404, { code: 'not-found' }], method)
  }
})

t.test('a key that nobody used is no problem, and sends nothing', async t => {
  emulator.clear()
  const { status, json } = await askThread(service, `${other.id}/replies/by-key/unused`)
  t.equal(status, 200)
  t.match(json, { delivery: 'unknown', retryAfterMs: Number }, 'records in memory know too little')
  t.ok(emulator.requests.length <= 6, `${emulator.requests.length} reads`)
  t.ok(emulator.requests.every(({ method }) => method === 'GET'))
})

t.test('beside all that, what is right is answered', async t => {
  const page = await askThread(service, `${parentId}/replies?limit=100&cursor=${older}`)
  t.equal(page.status, 200)
  const edited = await askThread(service, `${parentId}/replies/${own}`, EDIT)
  t.match([edited.status, edited.json.data.data.text], [200, 'x'])
  emulator.clear()
  const again = await askThread(service, `${parentId}/replies/${deleted}`, DELETE)
  t.match([again.status, again.json.data.id], [200, deleted], 'a delete that is done is done')
  t.same(emulator.requests, [])
})
