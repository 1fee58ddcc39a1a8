import fastify from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import type { Authenticator } from '../../src/auth/authenticator.ts'
import type { Principal } from '../../src/auth/caller.ts'
import { credentialRefusal } from '../../src/auth/reasons.ts'
import { CALLER, type RequireCallerOptions, requireCaller } from '../../src/auth/require-caller.ts'
import { createUidMap } from '../../src/auth/uid/uid-map.ts'
import { setErrorHandler } from '../../src/http/error-handler.ts'

const alice: Principal = {
  scheme: 'bearer',
  issuer: 'urn:test',
  subject: 'alice',
  actors: ['gateway'],
  mayActForOthers: false,
  profile: { name: 'Alice' }
}

/** The signed-in scope with a bearer token that is whoever the test says, and what its route knows of the caller. */
async function callerOf(
  principal: Principal,
  headers: Record<string, string>,
  more: Partial<RequireCallerOptions> = {}
) {
  const app = fastify()
  setErrorHandler(app, { log: pino({ level: 'silent' }) })
  const uidOf = createUidMap({ mode: 'verbatim', prefix: '' })
  const options = {
    bearer: () => principal,
    cookies: new Map(),
    csrf: { allowedOrigins: new Set<string>(), isProxy: () => false },
    uidOf
  }
  await app.register(requireCaller, { ...options, ...more })
  app.post('/', async request => request[CALLER])
  const answer = await app.inject({ method: 'POST', url: '/', headers: { authorization: 'Bearer x', ...headers } })
  await app.close()
  return answer
}

t.test('a caller is the subject of the credential, with its actors and its profile', async t => {
  t.strictSame((await callerOf(alice, {})).json(), {
    scheme: 'bearer',
    issuer: 'urn:test',
    subject: 'alice',
    uid: 'alice',
    actors: ['gateway'],
    profile: { name: 'Alice' }
  })
})

t.test('a credential of another user than the page means is refused, as if there were none', async t => {
  t.equal((await callerOf(alice, { 'x-signed-in-as': 'alice' })).statusCode, 200)
  for (const named of ['bob', 'Alice', '', 'alice, bob']) {
    const answer = await callerOf(alice, { 'x-signed-in-as': named })
    t.match(answer.json(), { status: 401, code: 'unauthenticated', delivery: 'not-sent' }, named)
  }
})

t.test("a service that may names its user: it is the nearest actor, and its profile is not the user's", async t => {
  const service = { ...alice, subject: 'billing', mayActForOthers: true, service: 'billing' }
  t.strictSame((await callerOf(service, { 'x-acting-for': 'bob' })).json(), {
    scheme: 'bearer',
    issuer: 'urn:test',
    subject: 'bob',
    uid: 'bob',
    actors: ['billing', 'gateway']
  })
  t.match((await callerOf(service, {})).json(), { uid: 'billing', profile: { name: 'Alice' } }, 'and itself otherwise')
})

t.test('a user is named by services alone, and in visible ASCII', async t => {
  t.match((await callerOf(alice, { 'x-acting-for': 'bob' })).json(), { status: 403, code: 'forbidden' })
  t.match((await callerOf(alice, { 'x-acting-for': '' })).json(), { status: 403, code: 'forbidden' })
  const service = { ...alice, mayActForOthers: true }
  for (const named of ['', ' ', 'b ob', 'b\u00f6b', 'bob\u00a0']) {
    const answer = await callerOf(service, { 'x-acting-for': named })
    t.match(answer.json(), { status: 403, code: 'identity-unmappable' }, JSON.stringify(named))
  }
  t.match((await callerOf(service, { 'x-acting-for': 'bob' })).json(), { uid: 'bob', actors: ['unnamed', 'gateway'] })
})

t.test('an authenticator learns the address that a credential came from', async t => {
  const senders: (string | undefined)[] = []
  const bearer: Authenticator = async (_, { ip }) => {
    senders.push(ip)
    return alice
  }
  t.equal((await callerOf(alice, {}, { bearer })).statusCode, 200)
  t.same(senders, ['127.0.0.1'])
})

t.test('a UID that has to be asked for is waited for, and its refusal is the answer', async t => {
  const verbatim = createUidMap({ mode: 'verbatim', prefix: '' })
  const later = await callerOf(alice, {}, { uidOf: async identity => verbatim(identity) })
  t.match(later.json(), { uid: 'alice' })
  const refused = await callerOf({ ...alice, subject: 'Alice' }, {}, { uidOf: async identity => verbatim(identity) })
  t.match(refused.json(), { status: 403, code: 'identity-unmappable' })
})

t.test('a way to sign in that is off accepts nothing, and its cookie is a cookie like any other', async t => {
  t.match((await callerOf(alice, {}, { bearer: undefined })).json(), { status: 401, code: 'unauthenticated' })
  const off = new Map([['sid', undefined]])
  t.match((await callerOf(alice, { cookie: 'sid=x' }, { cookies: off })).json(), { uid: 'alice' })
  const alone = await callerOf(alice, { authorization: '', cookie: 'sid=x' }, { cookies: off })
  t.match(alone.json(), { status: 401, code: 'unauthenticated' })

  const on = new Map([['sid', () => alice]])
  const both = await callerOf(alice, { cookie: 'sid=x' }, { cookies: on })
  t.match(both.json(), { status: 400, code: 'ambiguous-credentials', detail: /credentials: 'omit'/ })
})

t.test('a token that a gateway or a browser adds needs proof of origin, and another site never has it', async t => {
  const more = { tokenPlaces: { header: 'x-gateway-token', cookie: '__session' } }
  for (const place of [{ 'x-gateway-token': 'x' }, { cookie: '__session=x' }]) {
    const call = async (headers: Record<string, string>) => {
      const app = fastify()
      setErrorHandler(app, { log: pino({ level: 'silent' }) })
      const uidOf = createUidMap({ mode: 'verbatim', prefix: '' })
      const csrf = { allowedOrigins: new Set<string>(), isProxy: () => false }
      const bearer = (token: string) => (token === 'x' ? alice : { ...alice, subject: 'another-token' })
      await app.register(requireCaller, { bearer, cookies: new Map(), csrf, uidOf, forgetCredentials: true, ...more })
      app.post('/', async request => ({ ...request[CALLER], left: request.headers['x-gateway-token'] }))
      const answer = await app.inject({ method: 'POST', url: '/', headers: { ...place, ...headers } })
      await app.close()
      return answer.json()
    }
    t.match(await call({ 'x-csrf': '1' }), { uid: 'alice' })
    t.match(await call({ 'sec-fetch-site': 'same-origin' }), { uid: 'alice' })
    t.match(await call({}), { status: 403, code: 'csrf' })
    t.match(await call({ 'sec-fetch-site': 'cross-site', 'x-csrf': '1' }), { status: 403, code: 'csrf' })
    t.match(await call({ authorization: 'Bearer x' }), { status: 403, code: 'csrf' }, 'also beside the same token')
    t.match(await call({ authorization: 'Bearer y', 'x-csrf': '1' }), { status: 400, code: 'ambiguous-credentials' })
    t.notMatch(await call({ 'x-csrf': '1' }), { left: 'x' }, 'and is forgotten')
  }
})

t.test('what is refused whatever its credential is refused before the credential is looked at', async t => {
  let asked = 0
  const bearer: Authenticator = () => {
    asked++
    return alice
  }
  const checkFirst = (): void => {
    throw new Error('first')
  }
  t.equal((await callerOf(alice, {}, { bearer, checkFirst })).statusCode, 500)
  t.equal(asked, 0)
})

t.test(
  'a wait for the caller is told, whether it ends with one or not; a caller who is known at once is none',
  async t => {
    const told: string[] = []
    const onWaited: RequireCallerOptions['onWaited'] = ({ url }) => void told.push(url)
    t.equal((await callerOf(alice, {}, { onWaited })).statusCode, 200)
    t.same(told, [])
    t.equal((await callerOf(alice, {}, { onWaited, bearer: async () => alice })).statusCode, 200)
    t.same(told, ['/'])
    const refusal = async (): Promise<never> => {
      throw credentialRefusal('unauthenticated', 'token-key', 'No.')
    }
    t.equal((await callerOf(alice, {}, { onWaited, bearer: refusal })).statusCode, 401)
    t.same(told, ['/', '/'])
  }
)
