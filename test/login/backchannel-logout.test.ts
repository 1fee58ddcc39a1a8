import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import { createRemoteKeys } from '../../src/auth/bearer/jwks/remote.ts'
import { createBackChannelLogout } from '../../src/login/backchannel-logout.ts'
import { createSealer } from '../../src/login/seal.ts'
import { createLoginSessions } from '../../src/login/sessions.ts'
import { createMemorySessionStore } from '../../src/login/stores/memory.ts'

const issuer = 'https://issuer.test'
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const { privateKey, publicKey } = await generateKeyPair('ES256')
const keySet = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] }

function start({ fetchKeys = async (): Promise<unknown> => keySet } = {}) {
  const clock = { now: () => Date.now(), monotonic: () => performance.now(), sleep: async () => undefined }
  const store = createMemorySessionStore()
  const failing = { ...store, deleteIndexed: store.deleteIndexed }
  const sessions = createLoginSessions({
    store: { ...store, deleteIndexed: owner => failing.deleteIndexed(owner) },
    sealer: createSealer('secret', clock),
    clock,
    idleMs: 60_000,
    absoluteMs: 60_000
  })
  const keys = createRemoteKeys({
    fetchKeys,
    clock,
    emit: () => undefined,
    keysOf: 'the issuer',
    variable: 'AUTH_LOGIN_ISSUER'
  })
  t.teardown(() => keys.close())
  return {
    sessions,
    store,
    failing,
    end: createBackChannelLogout({ issuer, clientId: 'client', keys, clock }, sessions)
  }
}

function token(claims: object, typ?: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const all = { iss: issuer, aud: 'client', iat: now, exp: now + 60, jti: 'one', events: { [EVENT]: {} }, ...claims }
  return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: 'one', ...(typ && { typ }) }).sign(privateKey)
}

t.test('a token with sid and sub ends that session only', async t => {
  const { sessions, end } = start()
  const alice = { issuer, sub: 'a', subject: 'alice' }
  const [one, two] = [await sessions.begin({ ...alice, sid: '1' }), await sessions.begin({ ...alice, sid: '2' })]

  t.equal(await end(await token({ sid: '1', sub: 'a' }, 'logout+jwt')), 1)

  t.equal(await sessions.find(one), undefined)
  t.ok(await sessions.find(two))
})

t.test('the type may be left out, as older providers do', async t => {
  const { end } = start()

  t.equal(await end(await token({ sub: 'a', jti: '1' })), 0)
  t.equal(await end(await token({ sub: 'a', jti: '2' }, 'JWT')), 0)
  await t.rejects(end(await token({ sub: 'a', jti: '3' }, 'at+jwt')), { code: 'malformed-request' })
})

t.test('a logout that the store could not carry out may be tried again with the same token', async t => {
  const { sessions, store, failing, end } = start()
  const id = await sessions.begin({ issuer, sub: 'a', subject: 'alice' })
  const text = await token({ sub: 'a' })
  failing.deleteIndexed = async () => {
    throw new Error('down')
  }

  await t.rejects(end(text), { code: 'store-unavailable' })
  failing.deleteIndexed = store.deleteIndexed
  t.equal(await end(text), 1)

  t.equal(await sessions.find(id), undefined)
  await t.rejects(end(text), { code: 'malformed-request' })
})

t.test('without the keys of the provider nobody can tell: 503, and it may come again', async t => {
  const { end } = start({
    fetchKeys: async () => {
      throw new Error('down')
    }
  })

  await t.rejects(end(await token({ sub: 'a' })), { code: 'identity-provider-unavailable' })
})
