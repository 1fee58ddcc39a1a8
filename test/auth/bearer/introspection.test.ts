import t, { type Test } from 'tap'
import { IS_SUSPECT } from '../../../src/auth/authenticator.ts'
import { createIntrospector } from '../../../src/auth/bearer/introspection.ts'
import { AppError } from '../../../src/errors.ts'
import { UnexpectedStatus } from '../../../src/outbound/fetch-json.ts'

const ISSUER = 'https://issuer.test'
const NOW_S = 1_800_000_000
const active = { active: true, sub: 'alice', iss: ISSUER, aud: 'replies', exp: NOW_S + 600 }

type Answering = ((token: string) => Promise<unknown>) | undefined

/** An introspector whose clock and issuer the test holds in its hands. */
function build({ scope, actScope }: { scope?: string; actScope?: string } = {}) {
  const world = {
    nowMs: NOW_S * 1000,
    monotonicMs: 0,
    answer: active as unknown,
    asked: [] as string[],
    answerTo: undefined as Answering
  }
  const introspector = createIntrospector({
    maxAsking: 16,
    issuer: ISSUER,
    usersOf: ISSUER,
    audiences: ['replies'],
    claims: [],
    scope,
    actScope,
    uidClaim: 'sub',
    clock: { now: () => world.nowMs, monotonic: () => world.monotonicMs, sleep: async () => undefined },
    introspect: async token => {
      world.asked.push(token)
      if (world.answerTo) return world.answerTo(token)
      if (world.answer instanceof Error) throw world.answer
      return world.answer
    }
  })
  const authenticate = async (token: string, ip: string | undefined = '192.0.2.1') => introspector(token, { ip })
  const passMs = (ms: number): void => {
    world.nowMs += ms
    world.monotonicMs += ms
  }
  return { world, authenticate, introspector, passMs }
}

async function refusalOf(call: Promise<unknown>): Promise<Partial<AppError>> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  return error instanceof AppError ? error : { message: `no refusal: ${error}` }
}

async function isRefused(t: Test, answer: unknown, code: string, title: string, rules = {}): Promise<void> {
  const { world, authenticate } = build(rules)
  world.answer = answer
  t.match(await refusalOf(authenticate('opaque-token')), { code }, title)
}

t.test('an active token is whoever the issuer says it is', async t => {
  const { world, authenticate } = build({ actScope: 'replies:act' })
  world.answer = { ...active, scope: 'a replies:act', client_id: 'billing', act: { sub: 'cron' }, name: 'Alice' }

  const principal = await authenticate('opaque-token')

  t.match(principal, { session: /^token [\w-]{43}$/ }, 'the session is the token itself')
  t.strictSame(Object.assign({}, principal, { session: 'of the token' }), {
    scheme: 'bearer',
    issuer: ISSUER,
    subject: 'alice',
    actors: ['cron'],
    mayActForOthers: true,
    service: 'alice',
    profile: { name: 'Alice' },
    expiresAtMs: active.exp * 1000,
    session: 'of the token'
  })
})

t.test('a valid token is accepted in every form that RFC 7662 allows', async t => {
  const forms: [title: string, answer: object, rules?: { scope: string }][] = [
    ['several audiences', { ...active, aud: ['other', 'replies'] }],
    ['no issuer', { ...active, iss: undefined }],
    ['no end', { ...active, exp: undefined }],
    ['a start that is within the tolerance', { ...active, nbf: NOW_S + 29 }],
    [
      'no audience, but the scope of this service',
      { ...active, aud: undefined, scope: 'x replies' },
      { scope: 'replies' }
    ]
  ]
  for (const [title, answer, rules] of forms) {
    const { world, authenticate } = build(rules)
    world.answer = answer
    t.match(await authenticate('opaque-token'), { subject: 'alice' }, title)
  }
})

t.test('a token that is not for here and now is refused', async t => {
  await isRefused(t, { active: false }, 'unauthenticated', 'inactive')
  await isRefused(t, { ...active, active: false }, 'unauthenticated', 'inactive, whatever else is said')
  await isRefused(t, { ...active, exp: NOW_S }, 'unauthenticated', 'expired')
  await isRefused(t, { ...active, nbf: NOW_S + 31 }, 'unauthenticated', 'not yet valid')
  await isRefused(t, { ...active, iss: `${ISSUER}/` }, 'unauthenticated', 'of another issuer')
  await isRefused(t, { ...active, aud: 'other' }, 'unauthenticated', 'for another audience')
  await isRefused(t, { ...active, aud: [] }, 'unauthenticated', 'for no audience')
  await isRefused(t, { ...active, aud: undefined }, 'unauthenticated', 'for nobody in particular')
  await isRefused(t, active, 'forbidden', 'without the scope', { scope: 'replies' })
})

t.test('an answer that says nothing is an outage, not a verdict', async t => {
  const answers = [null, 7, 'active', [], {}, { active: 'true' }, { active: 1 }, { ...active, exp: 'soon' }]
  for (const answer of [...answers, { ...active, nbf: null }, { error: 'invalid_client' }]) {
    await isRefused(t, answer, 'identity-provider-unavailable', JSON.stringify(answer))
  }
  await isRefused(t, new Error('ECONNREFUSED'), 'identity-provider-unavailable', 'no answer')
  await isRefused(t, new UnexpectedStatus(401), 'identity-provider-unavailable', 'a refusal of this service')
})

t.test('nobody is asked about what cannot be a bearer token', async t => {
  const { world, authenticate } = build()
  for (const token of ['', 'a b', 'a\u00e9', '=', 'a=b', 'a,b', '"a"', 'x'.repeat(12_289)]) {
    t.match(await refusalOf(authenticate(token)), { code: 'unauthenticated' })
  }
  t.strictSame(world.asked, [])
})

t.test('a token is asked about once in 30 s, and never believed beyond its end', async t => {
  const { world, authenticate, passMs } = build()
  await authenticate('one')
  passMs(29_999)
  await authenticate('one')
  t.equal(world.asked.length, 1)
  passMs(1)
  await authenticate('one')
  t.equal(world.asked.length, 2)

  world.answer = { ...active, exp: Math.floor(world.nowMs / 1000) + 5 }
  await authenticate('short')
  passMs(6000)
  t.match(await refusalOf(authenticate('short')), { code: 'unauthenticated' })
})

t.test('a revoked token is refused within 30 s', async t => {
  const { world, authenticate, passMs } = build()
  await authenticate('one')
  world.answer = { active: false }
  passMs(30_000)
  t.match(await refusalOf(authenticate('one')), { code: 'unauthenticated' })
})

t.test('a refusal is remembered for 5 s, an outage not at all', async t => {
  const { world, authenticate, passMs } = build()
  world.answer = { active: false }
  await refusalOf(authenticate('one'))
  passMs(4999)
  await refusalOf(authenticate('one'))
  t.equal(world.asked.length, 1)

  passMs(1)
  world.answer = new Error('down')
  await refusalOf(authenticate('one'))
  world.answer = active
  t.match(await authenticate('one'), { subject: 'alice' })
  t.equal(world.asked.length, 3)
})

t.test('a thousand calls with one token ask once, also when the answer is an outage', async t => {
  const { world, authenticate } = build()
  await Promise.all(Array.from({ length: 1000 }, () => authenticate('one')))
  t.equal(world.asked.length, 1)

  world.answer = new Error('down')
  const refusals = await Promise.all(Array.from({ length: 1000 }, () => refusalOf(authenticate('two'))))
  t.equal(world.asked.length, 2)
  t.ok(refusals.every(({ code }) => code === 'identity-provider-unavailable'))
})

t.test('a caller whose connection is gone gets an answer like any other', async t => {
  const { introspector } = build()
  t.match(await introspector('one', { ip: undefined }), { subject: 'alice' })
})

t.test('two tokens never share an answer', async t => {
  const { world, authenticate } = build()
  t.match(await authenticate('of-alice'), { subject: 'alice' })
  world.answer = { ...active, sub: 'bob' }
  t.match(await authenticate('of-bob'), { subject: 'bob' })
  t.match(await authenticate('of-alice'), { subject: 'alice' })
})

t.test('no more tokens are asked about at once than the issuer has connections for, and 256 wait', async t => {
  const { world, authenticate } = build()
  const isOver = Promise.withResolvers<void>()
  world.answer = isOver.promise.then(() => active)
  const calls = Array.from({ length: 300 }, (_, index) => refusalOf(authenticate(`token-${index}`)))
  await new Promise(resolve => setImmediate(resolve))
  t.equal(world.asked.length, 16)

  isOver.resolve()
  const refused = (await Promise.all(calls)).filter(({ code }) => code === 'identity-provider-unavailable')
  t.equal(world.asked.length, 16 + 256)
  t.equal(refused.length, 300 - 16 - 256)
})

t.test('for a suspect address nobody is asked, and what is known still counts', async t => {
  const { world, authenticate, introspector } = build()
  const fromSuspect = async (token: string) => introspector(token, { ip: '192.0.2.1', [IS_SUSPECT]: true })
  t.match(await refusalOf(fromSuspect('unknown')), { options: { reason: 'introspection-suspended' } })
  t.same(world.asked, [])
  await authenticate('known')
  t.match(await fromSuspect('known'), { subject: 'alice' })
})

t.test('a question that waited for more than 3 s is not asked any more', async t => {
  const { world, authenticate, passMs } = build()
  const isOver = Promise.withResolvers<void>()
  world.answer = isOver.promise.then(() => active)
  const calls = Array.from({ length: 17 }, (_, index) => refusalOf(authenticate(`token-${index}`)))
  await new Promise(resolve => setImmediate(resolve))
  passMs(3001)
  isOver.resolve()

  const refusals = (await Promise.all(calls)).filter(({ code }) => code === 'identity-provider-unavailable')
  t.match(refusals, [{ options: { reason: 'introspection-busy' } }])
  t.equal(world.asked.length, 16)
})

t.test('three hundred senders of junk do not shut out the users of another address', async t => {
  const { world, authenticate } = build()
  world.answerTo = async token => {
    await new Promise(resolve => setTimeout(resolve, 5))
    return token.startsWith('junk') ? { active: false } : active
  }
  let isRunning = true
  let junk = 0
  const sendJunk = async (_: unknown, index: number): Promise<void> => {
    while (isRunning) {
      await refusalOf(authenticate(`junk-${junk++}`, `198.51.100.${index % 3}`))
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  const senders = Array.from({ length: 300 }, sendJunk)
  while (junk < 1000) await new Promise(resolve => setTimeout(resolve, 5))
  const users = Array.from({ length: 40 }, async (_, index) => authenticate(`good-${index}`, '203.0.113.1'))
  const outcomes = await Promise.allSettled(users)
  isRunning = false
  await Promise.all(senders)

  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 40)
  t.ok(junk > 1000, `beside ${junk} tokens that are junk`)
})

t.test('junk pushes no good answer out of the memory', async t => {
  const { world, authenticate } = build()
  await authenticate('good')
  world.answer = { active: false }
  for (let index = 0; index < 21_000; index++) await refusalOf(authenticate(`junk-${index}`))
  world.asked = []
  t.match(await authenticate('good'), { subject: 'alice' })
  t.strictSame(world.asked, [])
})
