import t from 'tap'
import { createKeyReader } from '../../../../src/auth/bearer/jwks/discovery.ts'

const issuer = 'https://issuer.test'
const keySet = { keys: [{ kty: 'EC' }] }

/** A reader before an internet of these documents, and the addresses it asked for. */
function readerOf(documents: Record<string, unknown>, from = issuer, jwksUrl?: string) {
  const asked: string[] = []
  const read = createKeyReader(from, jwksUrl, async url => {
    asked.push(url)
    if (!(url in documents)) throw new Error('404')
    return documents[url]
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
