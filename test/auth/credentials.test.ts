import t from 'tap'
import { credentialOf } from '../../src/auth/credentials.ts'
import { AppError } from '../../src/errors.ts'

const NAMES = ['sid', '__Host-own']
const PLACES = { header: 'x-gateway-token', cookie: '__session' }
const of = (...rawHeaders: string[]) => credentialOf(rawHeaders, NAMES)

t.test('a bearer token is taken whole, whatever the case of its scheme and header', async t => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    for (const name of ['Authorization', 'authorization', 'AUTHORIZATION']) {
      t.same(of(name, `${scheme} a.b-c_~+/=`), { kind: 'bearer', token: 'a.b-c_~+/=', isAmbient: false })
    }
  }
  t.same(of('host', 'x', 'authorization', 'Bearer   abc'), { kind: 'bearer', token: 'abc', isAmbient: false })
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

/** The public detail of a refusal for two credentials. */
function detailOf(...rawHeaders: string[]): string {
  try {
    credentialOf(rawHeaders, NAMES, PLACES)
  } catch (error) {
    if (error instanceof AppError && error.code === 'ambiguous-credentials') return error.message
  }
  return 'none'
}

t.test('two credentials are refused, whatever they are', async t => {
  const twos = [
    ['authorization', 'Bearer a', 'authorization', 'Bearer a'],
    ['authorization', 'Bearer a', 'cookie', 'sid=x'],
    ['authorization', '', 'cookie', 'sid=x'],
    ['cookie', 'sid=x; sid=y'],
    ['cookie', 'sid=x', 'cookie', 'sid=y'],
    ['cookie', 'sid=x; __Host-own=x'],
    ['cookie', 'sid=', 'authorization', 'Bearer a']
  ]
  for (const two of twos) t.throws(() => of(...two), { code: 'ambiguous-credentials' }, two.join(' '))
})

t.test('one session cookie, sent twice or in quotes, is one credential', async t => {
  const once = { kind: 'cookie', name: 'sid', value: 'x' }
  t.same(of('cookie', 'sid=x; a=b; sid=x'), once)
  t.same(of('cookie', 'sid=x', 'cookie', 'sid=x'), once)
  t.same(of('cookie', 'sid="x"'), once)
  t.same(of('cookie', 'sid="x"; sid=x'), once)
  for (const value of ['"x', 'x"', '"']) t.same(of('cookie', `sid=${value}`), { ...once, value })
})

t.test('a token is found in the header of a gateway and in a cookie, and both are ambient', async t => {
  const found = { kind: 'bearer', token: 'a.b.c', isAmbient: true }
  const at = (...rawHeaders: string[]) => credentialOf(rawHeaders, NAMES, PLACES)
  t.same(at('X-Gateway-Token', 'a.b.c'), found)
  t.same(at('x-gateway-token', 'Bearer a.b.c'), found)
  t.same(at('cookie', 'x=y; __session=a.b.c'), found)
  t.same(at('cookie', '__session="a.b.c"'), found)
  t.same(at('authorization', 'Bearer a.b.c'), { ...found, isAmbient: false })
  for (const nothing of [
    ['x-gateway-token', ''],
    ['cookie', '__session='],
    ['cookie', 'session=a.b.c']
  ]) {
    t.throws(() => at(...nothing), { code: 'unauthenticated', message: 'A credential is needed.' }, nothing.join())
  }
  for (const bad of [
    ['x-gateway-token', 'a b'],
    ['x-gateway-token', 'Bearer '],
    ['cookie', '__session=a b']
  ]) {
    t.throws(() => at(...bad), { code: 'unauthenticated' }, bad.join())
  }
  t.throws(() => of('x-gateway-token', 'a.b.c'), { code: 'unauthenticated' }, 'only where it is configured')
})

t.test('the same token in several places is one credential, and ambient; two different ones are two', async t => {
  const places = [
    ['authorization', 'Bearer a.b.c'],
    ['x-gateway-token', 'a.b.c'],
    ['cookie', '__session=a.b.c']
  ]
  const others = [
    ['authorization', 'Bearer a.b.d'],
    ['x-gateway-token', 'a.b.d'],
    ['cookie', '__session=a.b.d']
  ]
  for (const [index, one] of places.entries()) {
    for (const [at, second] of places.entries()) {
      if (at === index) continue
      t.same(credentialOf([...one, ...second], NAMES, PLACES), { kind: 'bearer', token: 'a.b.c', isAmbient: true })
      t.not(detailOf(...one, ...(others[at] ?? [])), 'none')
    }
    t.not(detailOf(...one, 'cookie', 'sid=a.b.c'), 'none', 'a session is another one, whatever its bytes')
  }
  t.same(credentialOf(places.flat(), NAMES, PLACES), { kind: 'bearer', token: 'a.b.c', isAmbient: true })
  t.not(
    detailOf('x-gateway-token', 'a', 'x-gateway-token', 'b'),
    'none',
    'what a client wrote and what the gateway added'
  )
  t.not(detailOf('authorization', 'Bearer a', 'authorization', 'Bearer a', 'x-gateway-token', 'a'), 'none')
})

t.test('the refusal says what came twice and what to do, and no value', async t => {
  const twice = /^The cookie sid comes twice, with two values: delete the cookies of this site/
  t.match(detailOf('cookie', 'sid=canary1; sid=canary2'), twice)
  t.match(detailOf('cookie', '__session=a; __session=b'), /^The cookie __session comes twice/)
  t.match(
    detailOf('authorization', 'Bearer a', 'cookie', 'sid=x'),
    /the authorization header and the sid cookie.*credentials: 'omit'/
  )
  t.match(
    detailOf('authorization', 'Bearer a', 'x-gateway-token', 'b'),
    /the authorization header and the x-gateway-token header\.$/
  )
  t.notMatch(detailOf('cookie', 'sid=canary1; sid=canary2', 'authorization', 'Bearer canary'), /canary/)
})
