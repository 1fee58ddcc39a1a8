import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { parseSession, sessionEndsAtMs, sessionIdOf, userAt } from '../../../src/auth/app-session/session.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { ANY_CHARACTER } from '../../helpers/any-character.ts'

const ID = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-_'
const NOW = 1_800_000_000_000
const secrets = [new Secret('the secret of today'), new Secret('the secret of yesterday')]

function signature(id: string, secret = 'the secret of today', algorithm = 'sha256'): string {
  return createHmac(algorithm, secret).update(id).digest('base64').replace(/=+$/, '')
}

function read(text: string) {
  const session = parseSession(text)
  if (!session) throw new Error('this is a session')
  return session
}

t.test('a signed cookie names its session, however it is spelled', async t => {
  const signed = `${ID}.${signature(ID)}`
  const cases: [title: string, cookie: string][] = [
    ['as express-session sets it', encodeURIComponent(`s:${signed}`)],
    ['as @fastify/session sets it', encodeURIComponent(signed)],
    ['not encoded', `s:${signed}`],
    ['signed with the older secret', `s:${ID}.${signature(ID, 'the secret of yesterday')}`],
    [
      'with the signature of an id that is a UUID',
      `9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d.${signature('9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d')}`
    ]
  ]
  for (const [title, cookie] of cases) t.ok(sessionIdOf(cookie, secrets), title)
  t.equal(sessionIdOf(`s:${signed}`, secrets), ID)
  for (const id of [`${ID}.of.tenant`, `tenant:${ID}`, `${ID}=`, `a@b.example|${ID}+/`]) {
    t.equal(sessionIdOf(encodeURIComponent(`s:${id}.${signature(id)}`), secrets), id, `as a genid makes it: ${id}`)
  }
})

t.test('any other cookie names none', async t => {
  const good = signature(ID)
  const cases: [title: string, cookie: string][] = [
    ['an unknown secret', `s:${ID}.${signature(ID, 'the secret of tomorrow')}`],
    ['an empty secret', `s:${ID}.${signature(ID, '')}`],
    ['another hash', `s:${ID}.${signature(ID, 'the secret of today', 'sha1')}`],
    ['another id', `s:B${ID.slice(1)}.${good}`],
    ['no signature', `s:${ID}`],
    ['an empty one', `s:${ID}.`],
    ['one cut short', `s:${ID}.${good.slice(0, -1)}`],
    ['one with padding', `s:${ID}.${good}=`],
    ['one in base64url', `s:${ID}.${Buffer.from(good, 'base64').toString('base64url')}x`],
    ['one with a blank', `s:${ID}.${good} `],
    ['two', `s:${ID}.${good}.${good}`],
    ['the signature of the spelling', `s:${ID}.${signature(`s:${ID}`)}`],
    ['another prefix', `j:${ID}.${good}`],
    ['a short id', `s:abc.${signature('abc')}`],
    ['a long id', `s:${'a'.repeat(129)}.${signature('a'.repeat(129))}`],
    ['an id with a line break', encodeURIComponent(`s:${ID}\r\n.${signature(`${ID}\r\n`)}`)],
    ['an id with a glob', `s:${ID}*.${signature(`${ID}*`)}`],
    ['an empty cookie', ''],
    ['a broken escape', '%E0%A4%A'],
    ['a huge cookie', `s:${ID}.${good}`.padEnd(100_000, 'a')],
    ['quotes', `"s:${ID}.${good}"`]
  ]
  for (const [title, cookie] of cases) t.equal(sessionIdOf(cookie, secrets), undefined, title)
  t.equal(sessionIdOf(`s:${ID}.${good}`, []), undefined, 'and without a secret none does')
})

t.test('of all signatures near the right one only the right one is accepted', async t => {
  const good = signature(ID)
  const character = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
  fc.assert(
    fc.property(fc.nat(good.length - 1), character, (index, other) => {
      const near = good.slice(0, index) + other + good.slice(index + 1)
      return (sessionIdOf(`s:${ID}.${near}`, secrets) === ID) === (near === good)
    }),
    { seed: 1, numRuns: 2000 }
  )
  t.equal(sessionIdOf(`s:${ID}.${good}`, secrets), ID)
})

t.test('the user is found on a path of own members of objects, and is a name or a whole number', async t => {
  const session = read(
    `{"cookie":{},"user":{"id":"alice","number":42,"zero":0,"list":["alice"],"object":{},"true":true,"null":null,
      "empty":"","half":1.5,"huge":9007199254740993,"minus":-0,"long":"${'x'.repeat(1025)}"},
      "passport":{"user":"bob"},"__proto__":{"own":"carol"},"name":"dave"}`
  )
  const cases: [path: string, user: string | undefined][] = [
    ['user.id', 'alice'],
    ['passport.user', 'bob'],
    ['name', 'dave'],
    ['user.number', '42'],
    ['user.zero', '0'],
    ['__proto__.own', 'carol'],
    ['own', undefined],
    ['user', undefined],
    ['user.list', undefined],
    ['user.list.0', undefined],
    ['user.list.length', undefined],
    ['user.id.length', undefined],
    ['user.id.0', undefined],
    ['user.object', undefined],
    ['user.true', undefined],
    ['user.null', undefined],
    ['user.empty', undefined],
    ['user.half', undefined],
    ['user.huge', undefined],
    ['user.minus', undefined],
    ['user.long', undefined],
    ['user.missing', undefined],
    ['missing.id', undefined],
    ['constructor.name', undefined],
    ['user.constructor.name', undefined],
    ['user.toString.name', undefined],
    ['__proto__.constructor.name', undefined],
    ['user.__proto__', undefined],
    ['hasOwnProperty', undefined],
    ['', undefined]
  ]
  for (const [path, user] of cases) t.equal(userAt(session, path), user, path)
})

t.test('a session ends when it was written to end, or when its use renewed it', async t => {
  const at = (ms: number): string => new Date(NOW + ms).toISOString()
  const cases: [title: string, cookie: object, ttlMs: number | undefined, endsInMs: number][] = [
    ['no end', {}, 5000, Number.POSITIVE_INFINITY],
    ['no end, a key for ever', { expires: null, originalMaxAge: null }, undefined, Number.POSITIVE_INFINITY],
    ['a written end', { expires: at(1000), originalMaxAge: 60_000 }, 1000, 1000],
    ['a written end, long over', { expires: at(-1000), originalMaxAge: 60_000 }, undefined, -1000],
    ['an absolute end, whatever the key', { expires: at(-1000), originalMaxAge: null }, 60_000, -1000],
    ['used 20 s ago', { expires: at(-1000), originalMaxAge: 60_000 }, 40_000, 40_000],
    ['used just now', { expires: at(-1000), originalMaxAge: 60_000 }, 60_000, 60_000],
    ['a key that outlives it for another reason', { expires: at(-1000), originalMaxAge: 60_000 }, 60_001, -1000],
    ['rounded up to whole seconds', { expires: at(-100), originalMaxAge: 1500 }, 400, -100],
    ['a date that is none', { expires: 'soon', originalMaxAge: 60_000 }, 40_000, Number.NaN]
  ]
  for (const [title, cookie, ttlMs, endsInMs] of cases) {
    const endsAtMs = sessionEndsAtMs(read(JSON.stringify({ cookie })), ttlMs, NOW)
    t.strictSame(endsAtMs - NOW, endsInMs, title)
  }
})

t.test('what is not a session is not read as one', async t => {
  for (const text of ['', 'x', 'null', '[]', '"a"', '{}', '{"cookie":1}', '{"cookie":{"expires":1}}']) {
    t.equal(parseSession(text), undefined, text)
  }
  t.equal(parseSession(JSON.stringify({ cookie: {}, text: 'x'.repeat(256 * 1024) })), undefined, 'too large')
  fc.assert(
    fc.property(fc.string({ unit: ANY_CHARACTER }), text => parseSession(text) === undefined),
    { seed: 1, numRuns: 1000 }
  )
  for (const expires of [false, null]) {
    const session = read(JSON.stringify({ cookie: { expires, originalMaxAge: expires } }))
    t.equal(sessionEndsAtMs(session, 40_000, NOW), Number.POSITIVE_INFINITY, `expires: ${expires}`)
  }
  t.ok(read('{"cookie":{"expires":null,"originalMaxAge":null,"path":"/","httpOnly":true}}'), 'and a session is')
})
