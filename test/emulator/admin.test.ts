import t from 'tap'
import type { CometChatEmulator } from '../../emulator/handles.ts'
import { call, reply, startEmulator, verdict } from './start-emulator.ts'

async function admin(emulator: CometChatEmulator, method: string, path: string, body?: unknown) {
  const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) }
  const response = await fetch(`${emulator.url}/_emulator/${path}`, init)
  return { status: response.status, json: (await response.json()) as unknown }
}

t.test('the handles are absent unless asked for', async t => {
  const emulator = await startEmulator(t)

  t.equal((await admin(emulator, 'GET', 'ledger')).status, 401)
})

t.test('another process reads what was posted and what arrived', async t => {
  const emulator = await startEmulator(t, { admin: true })
  await reply(emulator)

  t.match((await admin(emulator, 'GET', 'ledger')).json, [{ parentId: '100', onBehalfOf: 'alice' }])
  t.match((await admin(emulator, 'GET', 'requests')).json, [{ path: '/v3/messages/100/thread', status: 200 }])
  t.equal(emulator.requests.length, 1, 'its own requests are not among them')
})

for (const [title, order, status] of [
  ['by name', 'commit-then-500', 500],
  ['as an object', { kind: 'server-error', status: 503 }, 503],
  ['with bytes in base64', { kind: 'answer', status: 418, bodyBase64: 'e30=' }, 418],
  ['from a seed', { seed: 1, rate: 1, faults: ['bad-gateway'] }, 502]
] as const) {
  t.test(`another process orders a fault ${title}`, async t => {
    const emulator = await startEmulator(t, { admin: true })

    t.equal((await admin(emulator, 'POST', 'faults', order)).status, 200)

    t.equal((await reply(emulator)).status, status)
  })
}

t.test('another process orders a fault for requests that match', async t => {
  const emulator = await startEmulator(t, { admin: true })

  await admin(emulator, 'POST', 'faults', { fault: 'rate-limited', method: 'POST', path: '/thread$', times: 2 })

  t.equal((await call(emulator, '/messages/100/thread')).status, 200)
  t.strictSame([await reply(emulator), await reply(emulator), await reply(emulator)].map(verdict), [
    '429 ERR_TOO_MANY_REQUESTS',
    '429 ERR_TOO_MANY_REQUESTS',
    '200'
  ])
})

t.test('another process forgets what happened and stops the faults', async t => {
  const emulator = await startEmulator(t, { admin: true })
  await reply(emulator)
  await admin(emulator, 'POST', 'faults', { seed: 1, rate: 1 })
  await admin(emulator, 'POST', 'faults', 'reset')

  await admin(emulator, 'POST', 'reset')

  t.strictSame((await admin(emulator, 'GET', 'ledger')).json, [])
  t.match((await admin(emulator, 'GET', 'faults')).json, { pending: 0 })
  t.equal(verdict(await reply(emulator)), '200')
})

t.test('another process changes users, groups, messages, keys and switches', async t => {
  const emulator = await startEmulator(t, { admin: true })

  const { json } = await admin(emulator, 'POST', 'state', {
    users: [{ uid: 'erin' }],
    groups: [{ guid: 'new', members: ['erin'] }],
    messages: [{ id: '900', sender: 'erin', receiver: 'alice', receiverType: 'user' }],
    addKeys: [{ key: 'k2' }],
    revokeKeys: [emulator.apiKey],
    switches: { tagsEchoed: true },
    blocks: [{ blocker: 'erin', blocked: 'bob' }],
    deactivate: ['dave'],
    deleteMessages: ['200'],
    editMessages: [{ id: '900', data: { text: 'better' }, by: 'app_system' }],
    moderate: [{ id: '900', status: 'approved' }]
  })

  t.match(json, { messages: [{ id: '900' }] })
  const changed = await call(emulator, '/messages/900', { key: 'k2', as: 'erin' })
  t.equal(verdict(changed), '200')
  const data = { text: 'better', moderation: { status: 'approved' } }
  t.match(changed.json.data, { data, editedBy: 'app_system' })
  t.equal(verdict(await call(emulator, '/messages/200', { key: 'k2' })), '404 ERR_MESSAGE_ID_NOT_FOUND')
  t.equal(verdict(await call(emulator, '/users/dave', { key: 'k2' })), '404 ERR_UID_NOT_FOUND')
  t.equal(verdict(await call(emulator, '/messages/900')), '401 AUTH_ERR_APIKEY_NOT_FOUND')
  t.ok(emulator.switches.tagsEchoed)
})

for (const [title, method, path, body] of [
  ['an unknown fault', 'POST', 'faults', 'explode'],
  ['an unknown handle', 'GET', 'nothing', undefined],
  ['an unknown user', 'POST', 'state', { deactivate: ['nobody'] }],
  ['an unknown switch', 'POST', 'state', { switches: { nope: 1 } }]
] as const) {
  t.test(`${title} is told in one sentence`, async t => {
    const emulator = await startEmulator(t, { admin: true })

    const { status, json } = await admin(emulator, method, path, body)

    t.equal(status, 400)
    t.match(json, { mistake: String })
  })
}
