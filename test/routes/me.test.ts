// Who a caller is told to be, with the real service in this process.
import { pino } from 'pino'
import t from 'tap'
import { createService } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { AUDIENCE, ISSUER, SHARED_SECRET, tokenFor } from '../helpers/tokens.ts'

const { app } = await createService(
  loadConfig(
    {
      STORE_URL: 'memory:',
      COMETCHAT_BASE_URL: 'http://127.0.0.1:1',
      COMETCHAT_API_KEY: 'an-api-key-of-nobody',
      AUTH_JWT_ISSUER: ISSUER,
      AUTH_JWT_AUDIENCE: AUDIENCE,
      AUTH_JWT_SECRET: SHARED_SECRET,
      AUTH_ACT_SCOPE: 'replies:act',
      UID_MODE: 'hash',
      UID_PREFIX: 'u-'
    },
    () => ''
  ),
  { log: pino({ level: 'silent' }) }
)
t.teardown(() => app.close())

const me = (token: string, headers: Record<string, string> = {}, url = '/me') =>
  app.inject({ url, headers: { authorization: `Bearer ${token}`, ...headers } })

t.test('a caller is told who they are, as whom, and until when', async t => {
  const exp = Math.floor(Date.now() / 1000) + 600
  const answer = await me(await tokenFor('Alice@example.com', { claims: { exp } }))

  t.equal(answer.statusCode, 200)
  t.match(answer.headers, { 'cache-control': 'no-store', ratelimit: /"user";r=30/ })
  const { uid, ...others } = answer.json()
  t.match(uid, /^u-[a-z2-7]{26,}$/)
  t.strictSame(others, {
    issuer: ISSUER,
    subject: 'Alice@example.com',
    scheme: 'bearer',
    expiresAt: new Date(exp * 1000).toISOString()
  })
})

t.test('a service learns for whom it acts, and who else does', async t => {
  const token = await tokenFor('billing', { claims: { scope: 'replies:act', act: { sub: 'gateway' } } })
  t.match((await me(token, { 'x-acting-for': 'bob' })).json(), { subject: 'bob', actors: ['billing', 'gateway'] })
  t.match((await me(await tokenFor('carol', { claims: { act: { sub: 'gateway' } } }))).json(), {
    subject: 'carol',
    actors: ['gateway']
  })
})

t.test('nobody is told anything who does not say who they are, or asks for something else', async t => {
  t.match((await me('a.b.c')).json(), { status: 401, code: 'unauthenticated' })
  t.match((await app.inject('/me')).json(), { status: 401, code: 'unauthenticated' })
  const token = await tokenFor('alice')
  t.match((await me(token, {}, '/me?uid=bob')).json(), { status: 422, errors: [{ pointer: '/uid' }] })
  t.match((await me(token, { onbehalfof: 'bob' })).json(), { status: 400, code: 'reserved-name' })
  const other = await app.inject({ method: 'POST', url: '/me', payload: {} })
  t.match([other.statusCode, other.headers['allow']], [405, 'GET'])
})

t.test('an end beyond all dates is none', async t => {
  const { subject, expiresAt } = (await me(await tokenFor('alice', { claims: { exp: 9e15 } }))).json()
  t.strictSame([subject, expiresAt], ['alice', undefined])
})
