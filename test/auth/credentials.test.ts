import t from 'tap'
import { credentialOf } from '../../src/auth/credentials.ts'

const NAMES = ['sid', '__Host-own']
const of = (...rawHeaders: string[]) => credentialOf(rawHeaders, NAMES)

t.test('a bearer token is taken whole, whatever the case of its scheme and header', async t => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    for (const name of ['Authorization', 'authorization', 'AUTHORIZATION']) {
      t.same(of(name, `${scheme} a.b-c_~+/=`), { kind: 'bearer', token: 'a.b-c_~+/=' })
    }
  }
  t.same(of('host', 'x', 'authorization', 'Bearer   abc'), { kind: 'bearer', token: 'abc' })
})

t.test('what is no bearer token is refused', async t => {
  for (const value of [
    '',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    'abc',
    'Bearer a b',
    'Bearer a\tb',
    'Bearerabc',
    ' Bearer'
  ]) {
    t.throws(() => of('authorization', value), { code: 'unauthenticated' }, JSON.stringify(value))
  }
  t.throws(() => of('host', 'x'), { code: 'unauthenticated' })
  t.throws(() => of(), { code: 'unauthenticated' })
})

t.test('a session cookie is found beside others, with its value as it was sent', async t => {
  t.same(of('cookie', 'a=b; sid=s%3Ax.y; c=d'), { kind: 'cookie', name: 'sid', value: 's%3Ax.y' })
  t.same(of('Cookie', 'a=b', 'COOKIE', '__Host-own=x'), { kind: 'cookie', name: '__Host-own', value: 'x' })
  for (const other of ['SID=x', 'sid2=x', 'xsid=x', 'sid\u00a0=x', '\u00a0sid=x']) {
    t.throws(() => of('cookie', other), { code: 'unauthenticated' }, JSON.stringify(other))
  }
})

t.test('two credentials are refused, whatever they are', async t => {
  const twos = [
    ['authorization', 'Bearer a', 'authorization', 'Bearer a'],
    ['authorization', 'Bearer a', 'cookie', 'sid=x'],
    ['authorization', '', 'cookie', 'sid=x'],
    ['cookie', 'sid=x; sid=x'],
    ['cookie', 'sid=x', 'cookie', 'sid=y'],
    ['cookie', 'sid=x; __Host-own=y']
  ]
  for (const two of twos) t.throws(() => of(...two), { code: 'ambiguous-credentials' }, two.join(' '))
})
