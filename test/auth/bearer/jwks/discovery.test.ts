import t from 'tap'
import { createKeyReader } from '../../../../src/auth/bearer/jwks/discovery.ts'
import { KeysProblem } from '../../../../src/auth/bearer/jwks/keys-problem.ts'
import { UnexpectedStatus, UnreadableAnswer } from '../../../../src/outbound/fetch-json.ts'

const issuer = 'https://issuer.test'
const keySet = { keys: [{ kty: 'EC' }] }

/** A reader before an internet of these documents, and the addresses it asked for. */
function readerOf(documents: Record<string, unknown>, from = issuer, jwksUrl?: string) {
  const asked: string[] = []
  const read = createKeyReader({
    issuer: from,
    jwksUrl,
    fetchJson: async url => {
      asked.push(url)
      if (!(url in documents)) throw new Error('404')
      return documents[url]
    }
  })
  return { read, asked }
}

t.test('the keys are read from the address that the metadata of the issuer name', async t => {
  const { read, asked } = readerOf({
    [`${issuer}/.well-known/openid-configuration`]: { issuer, jwks_uri: 'https://keys.test/jwks' },
    'https://keys.test/jwks': keySet
  })
  t.equal(await read(), keySet)
  t.same(asked, [`${issuer}/.well-known/openid-configuration`, 'https://keys.test/jwks'])
})

t.test('the metadata of RFC 8414 are the second choice, with the path behind the well-known part', async t => {
  const { read } = readerOf(
    {
      'https://issuer.test/.well-known/oauth-authorization-server/tenant': {
        issuer: `${issuer}/tenant`,
        jwks_uri: 'https://keys.test/jwks'
      },
      'https://keys.test/jwks': keySet
    },
    `${issuer}/tenant`
  )
  t.equal(await read(), keySet)
})

t.test('an address of its own is asked alone', async t => {
  const { read, asked } = readerOf({ 'https://keys.test/jwks': keySet }, issuer, 'https://keys.test/jwks')
  t.equal(await read(), keySet)
  t.same(asked, ['https://keys.test/jwks'])
})

t.test('metadata that lie about the issuer, or lead somewhere unsafe, lead nowhere', async t => {
  const metadata: Record<string, unknown> = {
    'another issuer': { issuer: 'https://evil.example', jwks_uri: 'https://keys.test/jwks' },
    'an issuer with a slash': { issuer: `${issuer}/`, jwks_uri: 'https://keys.test/jwks' },
    'an issuer in capitals': { issuer: issuer.toUpperCase(), jwks_uri: 'https://keys.test/jwks' },
    'a list of issuers': { issuer: [issuer], jwks_uri: 'https://keys.test/jwks' },
    'no issuer': { jwks_uri: 'https://keys.test/jwks' },
    'an http address': { issuer, jwks_uri: 'http://keys.test/jwks' },
    'an http address that looks local': { issuer, jwks_uri: 'http://127.0.0.1.evil.example/jwks' },
    'an http address with a user': { issuer, jwks_uri: 'http://localhost@evil.example/jwks' },
    'a file': { issuer, jwks_uri: 'file:///etc/passwd' },
    data: { issuer, jwks_uri: 'data:application/json,{}' },
    'a path': { issuer, jwks_uri: '/jwks' },
    'no address': { issuer },
    'an address that is none': { issuer, jwks_uri: 1 },
    'a list': [issuer, 'https://keys.test/jwks'],
    null: null,
    text: '<html>'
  }
  for (const [name, document] of Object.entries(metadata)) {
    const { read, asked } = readerOf({
      [`${issuer}/.well-known/openid-configuration`]: document,
      'https://keys.test/jwks': keySet
    })
    await t.rejects(read(), name)
    t.ok(
      asked.every(url => url.startsWith(issuer)),
      `${name}: nobody else is asked`
    )
  }
})

t.test('without any metadata there are no keys', async t => {
  const { read, asked } = readerOf({})
  await t.rejects(read())
  t.equal(asked.length, 2)
})

const WELL_KNOWN = `${issuer}/.well-known/openid-configuration`

/** Why keys cannot be read where every address answers that. */
async function problemWith(answer: unknown, jwksUrl?: string): Promise<[reason: string, hint: string]> {
  const read = createKeyReader({
    issuer,
    jwksUrl,
    fetchJson: async () => {
      if (answer instanceof Error) throw answer
      return answer
    }
  })
  const error = await read().then(
    () => new Error('no problem'),
    (thrown: unknown) => thrown
  )
  return error instanceof KeysProblem ? [error.reason, error.hint ?? ''] : [String(error), '']
}

t.test('why keys cannot be read is said in a word, and what to do about it in a sentence', async t => {
  const url = 'https://keys.test/jwks'
  const cases: [answer: unknown, jwksUrl: string | undefined, reason: string, hint: RegExp][] = [
    [new UnexpectedStatus(302), url, 'keys-status-302', /redirect is not followed/],
    [new UnexpectedStatus(404), url, 'keys-status-404', /^$/],
    [new UnexpectedStatus(404), undefined, 'keys-status-404', /AUTH_JWT_JWKS_URL/],
    [new UnreadableAnswer('not-json'), url, 'keys-not-json', /^$/],
    [new UnreadableAnswer('too-large'), url, 'keys-too-large', /^$/],
    [new UnreadableAnswer('not-json'), undefined, 'keys-not-json', /AUTH_JWT_JWKS_URL/],
    [new Error('ECONNREFUSED canary'), url, 'keys-unreachable', /^$/],
    [{ issuer: `${issuer}/` }, undefined, 'keys-other-issuer', /with a slash at the end: it is missing/],
    [{ issuer: 'https://evil.example' }, undefined, 'keys-other-issuer', /^$/],
    [{ issuer }, undefined, 'keys-no-address', /^$/],
    [{ issuer, jwks_uri: 'http://keys.test' }, undefined, 'keys-insecure', /AUTH_HTTP_HOSTS/]
  ]
  for (const [answer, jwksUrl, reason, hint] of cases) {
    const problem = await problemWith(answer, jwksUrl)
    t.equal(problem[0], reason)
    t.match(problem[1], hint, reason)
  }
})

t.test('a slash too many is said as well', async t => {
  const { read } = readerOf({ [WELL_KNOWN]: { issuer } }, `${issuer}/`)
  const error: unknown = await read().catch(thrown => thrown)
  t.match(error, { reason: 'keys-other-issuer', hint: /one too many/ })
})

t.test('a host that is listed may be asked over http, by its name and port', async t => {
  const readWith = (jwksUrl: string) =>
    createKeyReader({
      issuer,
      jwksUrl: undefined,
      httpHosts: new Set(['keycloak:8080']),
      fetchJson: async url => (url === WELL_KNOWN ? { issuer, jwks_uri: jwksUrl } : keySet)
    })()
  t.equal(await readWith('http://keycloak:8080/certs'), keySet)
  for (const url of ['http://keycloak/certs', 'http://keycloak:8081/certs', 'http://keycloak.evil.example:8080/']) {
    await t.rejects(readWith(url), { message: 'keys-insecure' }, url)
  }
})
