// What happens when CometChat does not know somebody: the truth is told, and with UID_CREATE=on a sender is created.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const toTeam = { receiver: 'team', receiverType: 'group', data: { text: 'hello' } }

const { emulator, env, parentId, groupParentId } = await startEmulator(t)
const [creating, telling] = await Promise.all([
  hostService(t, { ...env, UID_CREATE: 'on' }),
  hostService(t, { ...env, UID_CREATE: 'off' })
])
t.beforeEach(() => emulator.clear())

/** The calls to CometChat's users API, as `POST /v3/users 200`. */
function userCalls(): string[] {
  return emulator.requests.filter(({ path }) => path.startsWith('/v3/users')).map(callOf)
}

function joinTeam(uid: string): boolean {
  try {
    emulator.addMember('team', uid)
    return true
  } catch {
    return false
  }
}

function callOf({ method, path, status }: { method: string; path: string; status?: number }): string {
  return `${method} ${path} ${status}`
}

t.test('a caller without a CometChat user gets one, with the name and the picture of the token', async t => {
  // An app lets newcomers into their groups when CometChat tells it about them; here that is before the answer.
  emulator.failNext({ kind: 'delay', delayMs: 300 }, { path: /\/users$/ })
  const joining = setInterval(() => joinTeam('newcomer') && clearInterval(joining), 10)
  t.teardown(() => clearInterval(joining))
  const token = await tokenFor('newcomer', {
    claims: { name: 'New\u202e Comer\n', picture: 'https://pictures.test/n' }
  })

  const answer = await postReply(creating, { token, parentId: groupParentId })

  t.match(answer, { status: 201, json: { data: { sender: 'newcomer', receiver: 'team' } } })
  t.strictSame(userCalls(), ['POST /v3/users 200'])
  const creation = emulator.requests.find(({ path }) => path === '/v3/users')
  t.strictSame(JSON.parse(creation?.body ?? ''), {
    uid: 'newcomer',
    name: 'New Comer',
    avatar: 'https://pictures.test/n'
  })
  t.notOk(
    creation?.rawHeaders.some(name => /^onbehalfof$/i.test(name)),
    'it is a call of the app, not of a user'
  )
  t.match(await creating.lineWhere(({ msg }) => msg === 'a CometChat user was created'), { uid: 'newcomer' })
  t.equal(emulator.ledger.length, 1)
})

t.test('a created user may reply where they are a member, and nowhere else', async t => {
  t.equal((await postReply(creating, { as: 'dora', parentId: groupParentId })).status, 404)
  emulator.addMember('team', 'dora')
  t.equal((await postReply(creating, { as: 'dora', parentId: groupParentId })).status, 201)

  const given = await postReply(creating, { as: 'emil', parentId: groupParentId, body: toTeam })

  t.equal(given.json.code, 'thread-not-found', 'emil exists now, and is no member')
  t.strictSame(userCalls(), ['POST /v3/users 200', 'GET /v3/users/emil 404', 'POST /v3/users 200'])
  t.strictSame(
    emulator.ledger.map(({ onBehalfOf }) => onBehalfOf),
    ['dora']
  )
})

t.test('a hundred first calls of one user create one user', async t => {
  const calls = Array.from({ length: 100 }, () => postReply(creating, { as: 'gina', parentId: groupParentId }))
  const codes = (await Promise.all(calls)).map(({ json }) => json.code)

  t.strictSame([...new Set(codes)], ['thread-not-found'])
  t.strictSame(userCalls(), ['POST /v3/users 200'])
  t.strictSame(emulator.ledger, [])
})

t.test('a user who exists is never created, changed or brought back', async t => {
  t.equal((await postReply(creating, { as: 'alice', parentId })).status, 201)
  t.strictSame(userCalls(), [])
  emulator.deactivate('carol')
  emulator.clear()

  for (const body of [{ data: { text: 'hello' } }, toTeam]) {
    expectProblem(t, await postReply(creating, { as: 'carol', parentId: groupParentId, body }), 'identity-unmappable')
  }

  t.strictSame(userCalls(), ['POST /v3/users 400', 'GET /v3/users/carol 404', 'POST /v3/users 400'])
  t.ok(emulator.requests.every(({ method }) => method === 'GET' || method === 'POST'))
  t.strictSame(emulator.ledger, [])
})

t.test('a user who was created and then deactivated stays refused', async t => {
  await postReply(creating, { as: 'fred', parentId: groupParentId })
  emulator.deactivate('fred')

  for (const body of [{ data: { text: 'hello' } }, toTeam]) {
    expectProblem(t, await postReply(creating, { as: 'fred', parentId: groupParentId, body }), 'identity-unmappable')
  }
  t.strictSame(emulator.ledger, [])
})

t.test('nobody is created for a caller who is not valid', async t => {
  const now = Math.floor(Date.now() / 1000)
  const tokens = [
    await tokenFor('newcomer', { secret: 'another-secret-that-is-long-enough-for-hs256' }),
    await tokenFor('newcomer', { claims: { exp: now - 60 } }),
    await tokenFor('New Comer'),
    await tokenFor('')
  ]
  for (const token of tokens) t.ok([401, 403].includes((await postReply(creating, { token, parentId })).status))
  t.strictSame(emulator.requests, [])
})

t.test('whatever goes wrong while a user is created, the reply is not sent and that is said', async t => {
  const faults: [fault: Parameters<typeof emulator.failNext>[0], code: Parameters<typeof expectProblem>[2]][] = [
    [{ kind: 'reset' }, 'upstream-reset'],
    [{ kind: 'server-error' }, 'upstream-error'],
    [{ kind: 'answer', status: 200, body: '{"data":{"uid":"somebody-else"}}' }, 'upstream-invalid'],
    [{ kind: 'answer', status: 200, body: '<html>' }, 'upstream-invalid'],
    [{ kind: 'key-scope' }, 'upstream-credentials'],
    [{ kind: 'error', status: 403, code: 'ERR_PLAN_QUOTA_RESTRICTION' }, 'rejected-by-cometchat']
  ]
  for (const [fault, code] of faults) {
    await t.test(`${fault.kind} is ${code}`, async t => {
      emulator.failNext(fault, { method: 'POST', path: /\/users$/ })
      const answer = await postReply(creating, { as: 'hanna', parentId })
      expectProblem(t, answer, code, { delivery: 'not-sent', without: [emulator.apiKey] })
    })
  }
  t.strictSame(emulator.ledger, [])
})

t.test('without UID_CREATE it is told apart whether the sender or a receiver is unknown', async t => {
  const toNobody = { receiver: 'nobody', receiverType: 'user', data: { text: 'hello' } }
  expectProblem(t, await postReply(telling, { as: 'ivan', parentId }), 'identity-unmappable')
  expectProblem(
    t,
    await postReply(telling, { as: 'ivan', parentId: groupParentId, body: toTeam }),
    'identity-unmappable'
  )

  emulator.failNext({ kind: 'error', status: 404, code: 'ERR_UID_NOT_FOUND' }, { method: 'POST' })
  const answer = await postReply(telling, { as: 'alice', parentId, body: toNobody })

  expectProblem(t, answer, 'rejected-by-cometchat')
  t.match(answer.json.errors, [{ code: 'ERR_UID_NOT_FOUND' }])
  t.strictSame(userCalls(), ['GET /v3/users/ivan 404', 'GET /v3/users/alice 200'])
  t.strictSame(emulator.ledger, [])
})

t.test('when nobody can tell who is unknown, the reply is still known not to be sent', async t => {
  emulator.failNext({ kind: 'error', status: 404, code: 'ERR_UID_NOT_FOUND' }, { method: 'POST' })
  emulator.failNext({ kind: 'server-error' }, { path: /\/users\/alice$/ })

  const body = { receiver: 'bob', receiverType: 'user', data: { text: 'hello' } }
  const answer = await postReply(telling, { parentId, body, headers: { 'idempotency-key': 'k-1' } })

  expectProblem(t, answer, 'upstream-error', { delivery: 'not-sent', hasKey: true })
  const again = await postReply(telling, { parentId, body, headers: { 'idempotency-key': 'k-1' } })
  t.equal(again.status, 201, 'the same key is free for the same reply')
  t.equal(emulator.ledger.length, 1)
})
