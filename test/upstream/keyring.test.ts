import t from 'tap'
import { Secret } from '../../src/lib/secret.ts'
import { createKeyring } from '../../src/upstream/keyring.ts'

const key = '0123456789abcdef0123456789abcdef01234567'

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
    ['base64url', around(1).toString('base64url')]
  ]

  for (const [title, text] of leaks) t.ok(keyring.leaksIn(text), title)
  for (const text of ['', 'hello', key.slice(1), '0'.repeat(200)]) t.notOk(keyring.leaksIn(text), 'nothing to find')
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
