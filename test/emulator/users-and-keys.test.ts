import t from 'tap'
import { call, reply, startEmulator, verdict } from './start-emulator.ts'

t.test('a user is created once, in lower case, and read back', async t => {
  const emulator = await startEmulator(t, { now: () => 1_638_354_015_000 })
  const body = { uid: 'Barry-6', name: 'Barry Allen', role: 'manager', avatar: 'https://files.example/b.png' }

  const created = await call(emulator, '/users', { body })
  const again = await call(emulator, '/users', { body })
  const read = await call(emulator, '/users/BARRY-6')

  t.equal(created.status, 200)
  t.strictSame(created.json.data, {
    uid: 'barry-6',
    name: 'Barry Allen',
    avatar: 'https://files.example/b.png',
    status: 'offline',
    role: 'manager',
    createdAt: 1_638_354_015
  })
  t.equal(verdict(again), '400 ERR_UID_ALREADY_EXISTS')
  t.strictSame(read.json.data, created.json.data)
})

t.test('a user without fields is refused with the recorded body', async t => {
  const emulator = await startEmulator(t)

  const { status, text } = await call(emulator, '/users', { body: {} })

  t.equal(status, 400)
  t.equal(
    text,
    '{"error":{"message":"Failed to validate the data sent with the request.","devMessage":"Failed to validate the data sent with the request.","source":"chat-api","details":{"uid":["The uid field is required."],"name":["The name field is required."]},"code":"ERR_BAD_REQUEST"}}'
  )
})

t.test('a UID with other characters is refused', async t => {
  const emulator = await startEmulator(t)

  t.equal(verdict(await call(emulator, '/users', { body: { uid: 'a@b.c', name: 'x' } })), '400 ERR_BAD_REQUEST')
})

t.test('an unknown or deactivated user is not found', async t => {
  const emulator = await startEmulator(t)
  emulator.deactivate('dave')

  t.equal(verdict(await call(emulator, '/users/nobody')), '404 ERR_UID_NOT_FOUND')
  t.equal(verdict(await call(emulator, '/users/dave')), '404 ERR_UID_NOT_FOUND')
})

t.test('a missing key and a wrong key are refused with 401', async t => {
  const emulator = await startEmulator(t)

  t.equal(verdict(await reply(emulator, undefined, { key: null })), '401 AUTH_ERR_EMPTY_APIKEY')
  t.equal(verdict(await reply(emulator, undefined, { key: 'wrong-key' })), '401 AUTH_ERR_APIKEY_NOT_FOUND')
})

t.test('a key of the wrong scope is refused with 403, and the answer repeats it as recorded', async t => {
  const apiKeys = [{ key: '1234567890', scope: 'authOnly' }] as const
  const emulator = await startEmulator(t, { apiKeys, switches: { keyInErrors: 'repeated' } })

  const { status, text } = await reply(emulator)

  t.equal(status, 403)
  t.equal(
    text,
    '{"error":{"message":"The key 1234567890 cannot be used to perform this operation. Please use API key with a correct scope to perform the operation.","devMessage":"The 1234567890 key does not have enough clearance. To perform the operation, please use the API key with the correct scope.","source":"chat-api","code":"AUTH_ERR_NO_ACCESS"}}'
  )
})

t.test('keys can be rotated while it runs', async t => {
  const emulator = await startEmulator(t)
  emulator.addKey('new-key')

  t.equal(verdict(await reply(emulator, undefined, { key: 'new-key' })), '200')
  t.equal(verdict(await reply(emulator)), '200')
  emulator.revokeKey(emulator.apiKey)
  t.equal(verdict(await reply(emulator)), '401 AUTH_ERR_APIKEY_NOT_FOUND')
  t.equal(verdict(await reply(emulator, undefined, { key: 'new-key' })), '200')
})

t.test('the default key is 40 hex digits that depend on the seed', async t => {
  const [one, same, other] = [
    await startEmulator(t, { seed: 7 }),
    await startEmulator(t, { seed: 7 }),
    await startEmulator(t, { seed: 8 })
  ]

  t.match(one.apiKey, /^[0-9a-f]{40}$/)
  t.equal(one.apiKey, same.apiKey)
  t.not(one.apiKey, other.apiKey)
})
