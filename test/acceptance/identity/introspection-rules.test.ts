// What an issuer that is asked with a bearer token may answer, and by which rules its answers are judged.
import t from 'tap'
import { startJsonServer } from '../../helpers/json-server.ts'
import { isRefusal, startTarget } from '../../helpers/target.ts'

const TOKEN = 'canary-token-of-this-service'
const active = {
  active: true,
  sub: 'alice',
  client_id: 'web',
  scope: 'write',
  exp: Math.floor(Date.now() / 1000) + 600
}
const issuer = await startJsonServer(t, active)
const target = await startTarget(t, {
  env: {
    AUTH_JWT_ISSUER: 'urn:issuer',
    AUTH_JWT_AUDIENCE: undefined,
    AUTH_JWT_SECRET: undefined,
    AUTH_JWT_CLAIMS: 'client_id=web|ios,!token_use=refresh_token,!blocked',
    AUTH_JWT_SCOPE: 'write',
    AUTH_INTROSPECTION_URL: `${issuer.url}/introspect`,
    AUTH_INTROSPECTION_TOKEN: TOKEN,
    AUTH_INTROSPECTION_TOKENS: 'all'
  },
  mint: async user => `token-of-${user}`
})
let count = 0

/** What becomes of a new token about which the issuer says that; and the reason in the log. */
async function judged(answer: object, token = `17|canary-opaque-${count++}`) {
  issuer.answerWith({ ...active, ...answer })
  const response = await target.post({ token })
  const id = response.headers.get('x-request-id')
  const line = await target.service.lineWhere(entry => entry['requestId'] === id)
  return { response, reason: line['reason'] }
}

t.test('the bearer token of this service goes out, and a token with a bar in it is asked about', async t => {
  const token = '17|a-token-of-Laravel-Sanctum'
  const { response } = await judged({}, token)
  t.equal(response.status, 201)
  t.match(issuer.asked.at(-1), {
    method: 'POST',
    path: '/introspect',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: `${new URLSearchParams({ token, token_type_hint: 'access_token' })}`
  })
})

t.test('an answer without an audience is accepted, however it says so', async t => {
  for (const aud of [undefined, null, '', []])
    t.equal((await judged({ aud })).response.status, 201, JSON.stringify(aud))
})

t.test('scopes are looked for at each of their places, as a text and as a list', async t => {
  for (const place of ['scope', 'scp', 'roles', 'permissions']) {
    for (const value of ['read write', ['read', 'write']]) {
      t.equal((await judged({ scope: undefined, [place]: value })).response.status, 201, place)
    }
  }
  const { response, reason } = await judged({ scope: 'read', groups: ['write'] })
  isRefusal(t, response, 403, 'forbidden')
  t.equal(reason, 'token-scope')
})

t.test('the rules about claims judge the answer', async t => {
  t.equal((await judged({ client_id: 'ios' })).response.status, 201)
  target.takePosts()
  for (const claims of [
    { client_id: 'other' },
    { client_id: undefined },
    { client_id: { web: 'web' } },
    { token_use: 'refresh_token' },
    { blocked: true }
  ]) {
    const { response, reason } = await judged(claims)
    isRefusal(t, response, 401, 'unauthenticated', JSON.stringify(claims))
    t.equal(reason, 'token-claim')
  }
  t.equal((await judged({ iss: 'urn:other' })).reason, 'token-issuer')
  t.equal((await judged({ active: false })).reason, 'token-inactive')
  t.same(target.takePosts(), [])
})

t.test('claims of odd types are nobody, and no fault of this service', async t => {
  for (const sub of [
    null,
    '',
    [],
    {},
    ['alice'],
    { a: 1 },
    true,
    1.5,
    2 ** 53,

    'a\u0000b',
    'x'.repeat(2000)
  ]) {
    const { response, reason } = await judged({ sub })
    isRefusal(t, response, 403, 'identity-unmappable', JSON.stringify(sub).slice(0, 40))
    t.match(reason, /^uid-(missing|form)$/)
  }
  t.same(target.takePosts(), [])
})

t.test('by which rules tokens are accepted is said at the start, and nothing of a token ever', async t => {
  const lines = target.service.logLines().filter(({ msg }) => msg === 'tokens of this issuer are accepted')
  t.match(lines, [
    { issuer: 'urn:issuer', rules: /^no keys, every token is asked about at .*claims client_id=web\|ios and/ }
  ])
  t.notMatch(target.service.output.join('\n') + target.service.errors.join('\n'), /canary|Sanctum/)
})
