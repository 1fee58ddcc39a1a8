// Auth tokens of users, in the shape of CometChat's document (rest-api/auth-tokens).
import t from 'tap'
import { call, startEmulator, verdict } from './start-emulator.ts'

const NOW_MS = 1_630_306_819_000
const start = (t: Parameters<typeof startEmulator>[0]) => startEmulator(t, { now: () => NOW_MS })
const force = { body: { force: true } }

t.test('a token is made in the documented shape, and listed', async t => {
  const emulator = await start(t)
  const { status, json } = await call(emulator, '/users/Alice/auth_tokens', force)

  t.equal(status, 200)
  t.match(json.data, { uid: 'alice', authToken: /^alice_1630306819[0-9a-f]{30}$/, createdAt: 1_630_306_819 })
  t.strictSame(Object.keys(json.data), ['uid', 'authToken', 'createdAt'])
  const listed = await call(emulator, '/users/alice/auth_tokens')
  t.match(listed.json, { data: [json.data], meta: { pagination: { total: 1, per_page: 100 } } })
  t.strictSame(emulator.authTokensOf('ALICE'), [json.data['authToken']])
})

t.test('with force each call makes another one; without it the latest is given again, or not', async t => {
  const emulator = await start(t)
  const made = async (body: object): Promise<unknown> =>
    (await call(emulator, '/users/alice/auth_tokens', { body })).json.data['authToken']
  const first = await made({ force: true })
  t.not(await made({ force: true }), first)
  const latest = emulator.authTokensOf('alice').at(-1)
  t.equal(await made({}), latest)
  t.equal((await call(emulator, '/users/alice/auth_tokens', { method: 'POST' })).json.data['authToken'], latest)
  emulator.switches.authTokenWithoutForce = 'new'
  t.not(await made({}), latest)
  t.equal(emulator.authTokensOf('alice').length, 3)
})

t.test('one is taken away, or all of a user; nobody else loses any', async t => {
  const emulator = await start(t)
  for (const uid of ['alice', 'alice', 'bob']) await call(emulator, `/users/${uid}/auth_tokens`, force)
  const [one = '', two = ''] = emulator.authTokensOf('alice')

  const gone = await call(emulator, `/users/alice/auth_tokens/${one}`, { method: 'DELETE' })
  t.match(gone.json, { data: { success: true, message: /./ } })
  t.strictSame(emulator.authTokensOf('alice'), [two])
  t.equal(
    verdict(await call(emulator, `/users/alice/auth_tokens/${one}`, { method: 'DELETE' })),
    '401 AUTH_ERR_AUTH_TOKEN_NOT_FOUND'
  )
  const [ofBob = ''] = emulator.authTokensOf('bob')
  t.equal(
    verdict(await call(emulator, `/users/alice/auth_tokens/${ofBob}`, { method: 'DELETE' })),
    '401 AUTH_ERR_AUTH_TOKEN_NOT_FOUND'
  )
  t.match((await call(emulator, '/users/alice/auth_tokens', { method: 'DELETE' })).json, { data: { success: true } })
  t.strictSame([emulator.authTokensOf('alice'), emulator.authTokensOf('bob')], [[], [ofBob]])
})

t.test('of a user the 100 newest are kept, and of nobody there is none', async t => {
  const emulator = await start(t)
  for (let made = 0; made < 102; made++) await call(emulator, '/users/alice/auth_tokens', force)
  t.equal(emulator.authTokensOf('alice').length, 100)
  t.equal(verdict(await call(emulator, '/users/nobody/auth_tokens', force)), '404 ERR_UID_NOT_FOUND')
  t.equal(verdict(await call(emulator, '/users/alice/auth_tokens', { body: { force: 1 } })), '400 ERR_BAD_REQUEST')
  t.equal(verdict(await call(emulator, '/users/alice/auth_tokens/a/b')), '404 ERR_API_NOT_FOUND')
})

t.test('a call that fails after its work made a token, and one before did not', async t => {
  const emulator = await start(t)
  emulator.failNext({ kind: 'server-error', commit: true })
  await call(emulator, '/users/alice/auth_tokens', force)
  t.equal(emulator.authTokensOf('alice').length, 1)
  emulator.failNext({ kind: 'server-error' })
  await call(emulator, '/users/alice/auth_tokens', force)
  t.equal(emulator.authTokensOf('alice').length, 1)
})
