import t, { type Test } from 'tap'
import { createRemoteKeys } from '../../../../src/auth/bearer/jwks/remote.ts'
import { AppError } from '../../../../src/errors.ts'
import type { ServiceEvent } from '../../../../src/observability/events.ts'
import { tokenOf } from '../../../helpers/forged-tokens.ts'
import { createSigningKey, type SigningKey } from '../../../helpers/identity-provider.ts'
import { claims, createAuthenticator, signed, usual } from '../token-verdict.ts'

const one = await createSigningKey('one')
const two = await createSigningKey('two')
const three = await createSigningKey('three')
const MINUTE_MS = 60_000

/** Keys whose issuer and clock are in the hands of the test. */
function startKeys(t: Test, ...initial: SigningKey[]) {
  let nowMs = 0
  let answer: () => Promise<unknown> = async () => ({ keys: initial.map(({ jwk }) => jwk) })
  const count = { reads: 0 }
  const events: ServiceEvent[] = []
  const fetches: ServiceEvent[] = []
  const clock = { now: () => Date.now(), monotonic: () => nowMs, sleep: async () => undefined }
  const keys = createRemoteKeys({
    clock,
    fetchKeys: () => {
      count.reads++
      return answer()
    },
    emit: event => (event.name === 'key-fetch' ? fetches : events).push(event),
    keysOf: 'https://issuer.test',
    variable: 'AUTH_JWT_ISSUER'
  })
  t.teardown(() => keys.close())
  const authenticate = createAuthenticator({ ...usual, keys })
  const codeOf = (token: string) =>
    authenticate(token).then(
      ({ subject }) => subject,
      error => (error instanceof AppError ? error.code : error)
    )
  return {
    keys,
    events,
    fetches,
    count,
    pass: (ms: number) => {
      nowMs += ms
    },
    publish: (...published: SigningKey[]) => {
      answer = async () => ({ keys: published.map(({ jwk }) => jwk) })
    },
    publishText: (value: unknown) => {
      answer = async () => value
    },
    fail: () => {
      answer = async () => Promise.reject(new Error('down'))
    },
    /** What becomes of a token signed with a key: its subject, or the code of the refusal. */
    verdictOn: async (key: SigningKey, header: object = {}) => codeOf(await signed(key, header, claims)),
    codeOf
  }
}

t.test('a known key works through an outage, and old keys are bounded', async t => {
  const { verdictOn, pass, fail, keys, count } = startKeys(t, one)
  t.equal(await verdictOn(one), 'alice')
  fail()

  for (let hour = 1; hour < 24; hour++) {
    pass(60 * MINUTE_MS)
    t.equal(await verdictOn(one), 'alice', `after ${hour} h`)
    t.ok(keys.isReady())
  }
  pass(61 * MINUTE_MS)
  t.equal(await verdictOn(one), 'identity-provider-unavailable', 'after a day')
  t.notOk(keys.isReady())
  t.ok(count.reads <= 30, `${count.reads} reads in a day of failures`)
})

t.test('a token that was verified before is not believed for longer than its key', async t => {
  const { keys, pass, publish, fail } = startKeys(t, one, two)
  const authenticate = createAuthenticator({ ...usual, keys })
  const stolen = await signed(one)
  t.equal((await authenticate(stolen)).subject, 'alice')

  publish(two)
  pass(11 * MINUTE_MS)
  // The first call notices that the keys are old and is answered from what is known; the read follows at once.
  await authenticate(stolen).catch(() => undefined)
  await new Promise(resolve => setImmediate(resolve))
  await t.rejects(authenticate(stolen), { code: 'unauthenticated' }, 'although nobody sent any other token')
  const honest = await signed(two)
  t.equal((await authenticate(honest)).subject, 'alice')

  fail()
  pass(25 * 60 * MINUTE_MS)
  await t.rejects(authenticate(honest), { code: 'identity-provider-unavailable' }, 'nor without keys at all')
})

t.test('without keys every token is a matter of the provider, and the service recovers by itself', async t => {
  const { verdictOn, publish, fail, pass, keys } = startKeys(t)
  fail()
  t.equal(await verdictOn(one), 'identity-provider-unavailable')
  t.notOk(keys.isReady())

  publish(one)
  t.equal(await verdictOn(one), 'identity-provider-unavailable', 'a failure is followed by a pause')
  pass(2000)
  t.equal(await verdictOn(one), 'alice')
  t.ok(keys.isReady())
})

t.test('rotation refuses no valid token, also when one follows another closely', async t => {
  const { verdictOn, publish, count } = startKeys(t, one)
  t.equal(await verdictOn(one), 'alice')

  publish(one, two)
  t.equal(await verdictOn(two), 'alice')
  publish(two, three)
  t.equal(await verdictOn(three), 'alice')
  t.equal(await verdictOn(two), 'alice')
  t.equal(await verdictOn(one), 'unauthenticated', 'and the withdrawn key is withdrawn')
  t.ok(count.reads <= 4, `${count.reads} reads`)
})

t.test('a key that is new while the provider cannot be asked is not called invalid', async t => {
  const { verdictOn, publish, fail, pass } = startKeys(t, one)
  t.equal(await verdictOn(one), 'alice')

  fail()
  t.equal(await verdictOn(two), 'identity-provider-unavailable')
  t.equal(await verdictOn(one), 'alice', 'what is known goes on')
  publish(one, two)
  pass(1500)
  t.equal(await verdictOn(two), 'alice', 'as soon as the provider is back')
})

t.test('a flood of unknown key ids costs one read in five seconds, and turns no rotation into a 401', async t => {
  const { verdictOn, codeOf, count, pass, publish } = startKeys(t, one)
  t.equal(await verdictOn(one), 'alice')
  const before = count.reads
  const flood = async (round: string) => {
    const strangers = Array.from({ length: 100 }, (_, index) => `${round}-${index}`)
    const tokens = strangers.map(kid => tokenOf({ alg: 'ES256', kid }, claims, `signature ${kid}`))
    return Promise.all(tokens.map(codeOf))
  }

  t.same(new Set(await flood('first')), new Set(['unauthenticated']), 'judged by a read that they all came before')
  t.equal(count.reads - before, 1)
  publish(one, two)
  t.equal(await verdictOn(two), 'identity-provider-unavailable', 'the keys are older than this token')
  t.equal(await verdictOn(one), 'alice', 'while known keys work')
  for (let ms = 0; ms < 4500; ms += 500) {
    pass(500)
    t.same(new Set(await flood(`at ${ms}`)), new Set(['identity-provider-unavailable']))
  }
  t.equal(count.reads - before, 1, 'in 4.5 s')
  pass(500)
  t.equal(await verdictOn(two), 'alice')
  await flood('last')
  t.equal(count.reads - before, 2, 'in 5 s')
})

t.test('a caller is told why, and to come back when the keys may be read again', async t => {
  const { keys, pass } = startKeys(t, one)
  const authenticate = createAuthenticator({ ...usual, keys })
  await t.rejects(authenticate(await signed(two, { kid: 'stranger' })), { code: 'unauthenticated' })
  pass(1800)
  await t.rejects(authenticate(await signed(two)), {
    code: 'identity-provider-unavailable',
    options: { reason: 'keys-older', retryAfterMs: 3200 }
  })
})

t.test('a token of a withdrawn key is refused when it comes again, also in the middle of a flood', async t => {
  const { keys, pass } = startKeys(t, one)
  const authenticate = createAuthenticator({ ...usual, keys })
  const stranger = async (kid: string) => authenticate(await signed(three, { kid })).catch(() => undefined)
  const old = await signed(two)
  await stranger('first')
  await t.rejects(authenticate(old), { code: 'identity-provider-unavailable' })
  pass(5000)
  await stranger('second')
  await t.rejects(authenticate(old), { code: 'unauthenticated' }, 'the keys are newer than its first try')
})

t.test('an expired token, and one for somebody else, is refused at once, whatever its key', async t => {
  const { keys, count } = startKeys(t, one)
  const authenticate = createAuthenticator({ ...usual, keys })
  await authenticate(await signed(one))
  const before = count.reads
  for (const wrong of [{ exp: Math.floor(Date.now() / 1000) }, { iss: 'https://other.test' }, { aud: 'other' }]) {
    await t.rejects(authenticate(await signed(two, {}, { ...claims, ...wrong })), { code: 'unauthenticated' })
  }
  t.equal(count.reads, before)
})

t.test('keys that are being read when a token comes may bring its key but do not refuse it', async t => {
  const { publishText, codeOf, verdictOn } = startKeys(t, one)
  t.equal(await verdictOn(one), 'alice')
  const late = Promise.withResolvers<unknown>()
  publishText(late.promise)
  const [stranger, newer, unknown] = await Promise.all([signed(three, { kid: 'x' }), signed(two), signed(three)])
  const verdicts = [codeOf(stranger)]
  await new Promise(resolve => setImmediate(resolve))
  verdicts.push(codeOf(newer), codeOf(unknown))
  late.resolve({ keys: [one.jwk, two.jwk] })

  t.same(await Promise.all(verdicts), ['unauthenticated', 'alice', 'identity-provider-unavailable'])
})

t.test('a known key id with a wrong signature or another algorithm is refused at once, without a read', async t => {
  const { verdictOn, count } = startKeys(t, one)
  t.equal(await verdictOn(one), 'alice')
  const before = count.reads
  for (let index = 0; index < 100; index++) t.equal(await verdictOn(two, { kid: 'one' }), 'unauthenticated')
  const rsa = await createSigningKey('one', 'RS256')
  t.equal(await verdictOn(rsa), 'unauthenticated')
  t.equal(count.reads, before)
  t.equal(await verdictOn(three, { kid: 'unknown' }), 'unauthenticated', 'and the read is left for whom it helps')
})

t.test('a thousand first calls at once cost one read', async t => {
  const { verdictOn, count } = startKeys(t, one)
  const verdicts = await Promise.all(Array.from({ length: 1000 }, () => verdictOn(one)))
  t.same(new Set(verdicts), new Set(['alice']))
  t.equal(count.reads, 1)
})

t.test('failures are followed by pauses that grow', async t => {
  const { verdictOn, fail, count, pass, events } = startKeys(t)
  fail()
  for (let second = 0; second < 120; second++) {
    t.equal(await verdictOn(one), 'identity-provider-unavailable')
    pass(1000)
  }
  t.ok(count.reads >= 5 && count.reads <= 10, `${count.reads} reads in two minutes of calls`)
  t.equal(events.length, count.reads, 'and the operator is told of each')
  t.same(events[0], { name: 'keys-unreadable', variable: 'AUTH_JWT_ISSUER', reason: 'keys-empty' })
})

t.test('a key set that is none opens nothing and takes nothing away', async t => {
  const secret = {
    kty: 'oct',
    k: Buffer.from('secret of thirty-two bytes, known').toString('base64url'),
    kid: 'oct',
    alg: 'HS256'
  }
  const many = Array.from({ length: 10_000 }, (_, index) => ({ ...one.jwk, kid: `k${index}` }))
  const cyclic = JSON.parse(`${'{"kty":"EC","kid":"deep","x":'.repeat(5000)}1${'}'.repeat(5000)}`)
  const sets: Record<string, unknown> = {
    nothing: undefined,
    null: null,
    text: '<html>',
    number: 1,
    list: [one.jwk],
    'no keys': {},
    'keys that are no list': { keys: one.jwk },
    'an empty list': { keys: [] },
    'a shared secret': { keys: [secret] },
    'a key for encryption': { keys: [{ ...two.jwk, use: 'enc' }] },
    'ten thousand keys': { keys: many },
    'keys that are none': { keys: [null, 1, 'x', [], {}, { kty: 1 }, { kty: {} }] },
    'a nested key': { keys: [cyclic] }
  }

  for (const [name, set] of Object.entries(sets)) {
    const { verdictOn, publishText, pass } = startKeys(t, one)
    t.equal(await verdictOn(one), 'alice')
    publishText(set)
    pass(11 * MINUTE_MS)
    t.not(await verdictOn(two), 'alice', name)
    t.equal(await verdictOn(one), 'alice', `${name}: the known key goes on`)

    const cold = startKeys(t)
    cold.publishText(set)
    cold.pass(5000)
    t.equal(await cold.verdictOn(one), 'identity-provider-unavailable', `${name}, from the beginning`)
  }
})

t.test('broken keys beside a good one spoil only themselves', async t => {
  const { verdictOn } = startKeys(
    t,
    one,
    { ...two, jwk: { ...two.jwk, x: 'AA' } },
    { ...three, jwk: { kty: 'RSA', kid: 'three', n: '', e: 'AQAB' } }
  )
  t.equal(await verdictOn(one), 'alice')
  t.equal(await verdictOn(two), 'unauthenticated')
  t.equal(await verdictOn(three), 'unauthenticated')
})

t.test('two keys under one id open nothing for a third', async t => {
  const { verdictOn } = startKeys(
    t,
    { ...one, jwk: { ...one.jwk, kid: 'same' } },
    { ...two, jwk: { ...two.jwk, kid: 'same' } }
  )
  t.equal(await verdictOn(three, { kid: 'same' }), 'unauthenticated')
})

t.test('each fetch is told with its time and what came of it', async t => {
  const { verdictOn, fail, pass, fetches, publishText } = startKeys(t, one)
  await verdictOn(one)
  publishText({ keys: [] })
  pass(11 * MINUTE_MS)
  await verdictOn(one)
  await new Promise(setImmediate)
  fail()
  pass(MINUTE_MS)
  await verdictOn(one)
  await new Promise(setImmediate)
  const told = (result: string) => ({ name: 'key-fetch', issuer: 'https://issuer.test', durationMs: 0, result })
  t.same(fetches, [told('ok'), told('keys-empty'), told('keys-unreachable')])
})

t.test('the first key set is told of, with how many keys it has, and none after it', async t => {
  let nowMs = 0
  const told: number[] = []
  let jwks = [one.jwk, two.jwk]
  const keys = createRemoteKeys({
    clock: { now: () => Date.now(), monotonic: () => nowMs, sleep: async () => undefined },
    fetchKeys: async () => ({ keys: jwks }),
    emit: () => undefined,
    keysOf: 'https://issuer.test',
    variable: 'AUTH_JWT_ISSUER',
    onFirstRead: count => void told.push(count)
  })
  t.teardown(() => keys.close())
  const read = () => new Promise(resolve => setImmediate(resolve))
  await read()
  t.same(told, [2])
  const before = keys.generation
  jwks = [three.jwk]
  nowMs += 11 * MINUTE_MS
  t.equal(keys.generation, before, 'it is read again for the next one')
  await read()
  t.not(keys.generation, before)
  t.same(told, [2])
})
