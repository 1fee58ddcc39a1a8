import t from 'tap'
import { Secret } from '../../src/lib/secret.ts'
import { createKeyring } from '../../src/upstream/keyring.ts'

const key = '0123456789abcdef0123456789abcdef01234567'

/** The key with each of its bytes written another way; `code` is its two digits of hex, in lower case. */
function spelled(write: (code: string, index: number) => string): string {
  return [...Buffer.from(key)].map((byte, index) => write(byte.toString(16).padStart(2, '0'), index)).join('')
}

t.test('a key is recognised in every spelling an echo could have', async t => {
  const keyring = createKeyring([new Secret(key)], () => 0)
  const around = (offset: number) => Buffer.from(`${'x'.repeat(offset)}${key}yy`)
  const leaks: [title: string, text: string][] = [
    ['plain', `The key ${key} cannot be used`],
    ['hex', Buffer.from(key).toString('hex')],
    ['upper-case hex', Buffer.from(key).toString('hex').toUpperCase()],
    ['base64', around(0).toString('base64')],
    ['base64, one byte on', around(1).toString('base64')],
    ['base64, two bytes on', around(2).toString('base64')],
    ['base64url', around(1).toString('base64url')],
    ['in capitals', key.toUpperCase()],
    [
      'hex, in letters of both cases',
      Buffer.from(key)
        .toString('hex')
        .replaceAll(/a|4/g, c => c.toUpperCase())
    ],
    ['every byte as %xx', spelled(code => `%${code}`)],
    ['every byte as %XX', spelled(code => `%${code.toUpperCase()}`)],
    ['every byte as %25xx', spelled(code => `%25${code}`)],
    ['every byte as \\u00xx', spelled(code => `\\u00${code}`)],
    ['every byte as \\u00XX', spelled(code => `\\u00${code.toUpperCase()}`)],
    ['every byte as \\\\u00xx, in a text of a text', spelled(code => `\\\\u00${code}`)],
    ['every byte as \\xxx', spelled(code => `\\x${code}`)],
    ['some bytes as %xx', spelled((code, index) => (index % 3 === 0 ? `%${code}` : (key[index] ?? '')))],
    ['base64, URL-encoded', encodeURIComponent(around(1).toString('base64'))]
  ]

  for (const [title, text] of leaks) t.ok(keyring.leaksIn(`{"text":"${text}"}`), title)
  for (const text of ['', 'hello', key.slice(1), '0'.repeat(200), '100 % \\u00e4 %41', spelled(() => '%30')]) {
    t.notOk(keyring.leaksIn(text), `nothing to find in ${text}`)
  }
})

t.test('a key of signs is recognised as JSON and URLs write it', async t => {
  const odd = 'kEy+"0a/%~=\\\''
  const keyring = createKeyring([new Secret(odd)], () => 0)
  const texts = [odd, JSON.stringify(odd), JSON.stringify({ url: encodeURIComponent(odd) }), encodeURIComponent(odd)]

  for (const text of texts) t.ok(keyring.leaksIn(text), text)
})

t.test('a spelling of eight characters is looked for, and none that is shorter', async t => {
  const leaks = (secret: string, text: string): boolean => createKeyring([new Secret(secret)], () => 0).leaksIn(text)

  t.equal(leaks('12345678', 'a 12345678 b'), true)
  t.equal(leaks('1234567', 'a 1234567 b'), false)
  t.equal(leaks('1234', 'a 31323334 b'), true, 'eight characters of hex')
})

t.test('a long text of nothing but escapes is looked through in a moment', async t => {
  const keyring = createKeyring([new Secret(key)], () => 0)
  const startMs = performance.now()
  for (const text of ['\\'.repeat(262_144), '%25'.repeat(87_381), '\\u005c'.repeat(43_690)]) {
    t.notOk(keyring.leaksIn(text))
  }
  t.ok(performance.now() - startMs < 2000)
})

t.test('the key that CometChat takes becomes the first one', async t => {
  const [old, fresh] = [new Secret('old-key'), new Secret('new-key')]
  const keyring = createKeyring([old, fresh], () => 7)

  t.equal(keyring.untried([old]), fresh)
  t.equal(keyring.untried([old, fresh]), undefined)
  keyring.accepted(fresh)

  t.equal(keyring.current(), fresh)
  t.same(keyring.fingerprints(), [fresh.fingerprint, old.fingerprint])
})

t.test('a refusal of every key is remembered until one is taken or replaced', async t => {
  let now = 0
  const only = new Secret('only-key')
  const keyring = createKeyring([only], () => now)

  keyring.refused()
  now = 500
  t.equal(keyring.refusedForMs(), 500)
  keyring.replace([new Secret('next-key')])

  t.equal(keyring.refusedForMs(), undefined)
})
