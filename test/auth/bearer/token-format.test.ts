import t from 'tap'
import type { Sender } from '../../../src/auth/authenticator.ts'
import {
  formFault,
  isCompactJws,
  isVerifiableToken,
  routeByTokenFormat
} from '../../../src/auth/bearer/token-format.ts'

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const JWT = `${part({ alg: 'ES256' })}.${part({ sub: 'alice' })}.c2ln`

t.test('a token of exactly 12,288 characters may be verified, a longer one is not', async t => {
  const longest = `${JWT}${'A'.repeat(12_288 - JWT.length)}`
  t.ok(isVerifiableToken(longest))
  t.notOk(isVerifiableToken(`${longest}A`))
  t.equal(formFault(`${longest}A`), 'token-too-long')
})

t.test('what cannot be verified is encrypted, or no token at all', async t => {
  t.equal(formFault('eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn'), 'token-encrypted')
  for (const text of ['', 'a', 'a.b.c=', 'a.b.c.d', 'a.b.c.d.e.f', '..']) t.equal(formFault(text), 'token-form', text)
})

t.test('a token is a JWT by three parts of base64url and a header with `alg`', async t => {
  t.ok(isCompactJws(JWT))
  for (const other of [
    'opaque',
    'a.b.c',
    `${part({})}.a.b`,
    `${part(null)}.a.b`,
    `${part('alg')}.a.b`,
    `${JWT}=`,
    `${JWT}.x`,
    `${JWT}.x.y`,
    ` ${JWT}`,
    JWT.replace('.', ''),
    `${part({ alg: 'ES256' })}..c2ln`
  ]) {
    t.notOk(isCompactJws(other), other)
  }
})

t.test('each token goes to what can judge it, with its sender', async t => {
  const seen: string[] = []
  const judge =
    (name: string) =>
    (token: string, { ip }: Sender) => {
      seen.push(`${name} ${token} ${ip}`)
      return { scheme: 'bearer', issuer: name, subject: 'x', actors: [], mayActForOthers: false } as const
    }
  const route = routeByTokenFormat(judge('jwt'), judge('opaque'))
  await route(JWT, { ip: '192.0.2.1' })
  await route('opaque-token', { ip: '192.0.2.2' })
  t.same(seen, [`jwt ${JWT} 192.0.2.1`, 'opaque opaque-token 192.0.2.2'])
})
