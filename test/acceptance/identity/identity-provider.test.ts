import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { hmacToken } from '../../helpers/forged-tokens.ts'
import { createSigningKey, startIdentityProvider } from '../../helpers/identity-provider.ts'
import { readiness } from '../../helpers/service-process.ts'
import { isRefusal, startTarget, stillServes } from '../../helpers/target.ts'
import { AUDIENCE } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'

const one = await createSigningKey('one')
const two = await createSigningKey('two', 'RS256')
const three = await createSigningKey('three', 'EdDSA')
const four = await createSigningKey('four')
const stranger = await createSigningKey('stranger')
const provider = await startIdentityProvider(t, [one])
const target = await startTarget(t, { env: provider.env, mint: user => provider.tokenFor(user) })
const { adminUrl } = target.service

/** The statuses that so many replies at once are answered with, each counted once. */
async function statusesOf(count: number, tokenOf: (index: number) => Promise<string>): Promise<number[]> {
  const tokens = await Promise.all(Array.from({ length: count }, (_, index) => tokenOf(index)))
  const answers = await Promise.all(tokens.map(token => target.post({ token })))
  return [...new Set(answers.map(({ status }) => status))]
}

t.test('a hundred first calls at once read the keys and the metadata once', async t => {
  t.same(await statusesOf(100, () => provider.tokenFor('alice')), [201])
  t.same(provider.counts, { metadata: 1, keys: 1 })
  t.equal(target.takePosts().length, 100)
})

t.test(
  'rotation refuses no valid token, also when one follows another closely, and withdraws what was withdrawn',
  async t => {
    const old = await provider.tokenFor('alice', { key: one })
    t.equal((await target.post({ token: old })).status, 201)

    provider.rotateTo(two, one)
    t.same(await statusesOf(20, index => provider.tokenFor('alice', { key: index % 2 ? one : two })), [201])
    provider.rotateTo(three, two)
    t.same(await statusesOf(20, index => provider.tokenFor('alice', { key: index % 2 ? two : three })), [201])

    isRefusal(t, await target.post({ token: old }), 401, 'unauthenticated', 'a token that was accepted before')
    t.equal(target.takePosts().length, 41)
  }
)

t.test('a flood of unknown key ids costs one read in five seconds, and no user of a new key a sign-in', async t => {
  const before = provider.counts.keys
  const flood = await statusesOf(300, index =>
    provider.tokenFor('alice', { key: { ...stranger, kid: `kid-${index}` } })
  )
  t.same(new Set([...flood, 401, 503]), new Set([401, 503]))
  t.ok(provider.counts.keys - before <= 1, `${provider.counts.keys - before} reads`)
  t.same(target.takePosts(), [])

  provider.rotateTo(four, three)
  const token = await provider.tokenFor('alice', { key: four })
  const answer = await target.post({ token })
  isRefusal(t, answer, 503, 'identity-provider-unavailable')
  const retryAfterSeconds = Number(answer.headers.get('retry-after'))
  t.ok(retryAfterSeconds >= 1 && retryAfterSeconds <= 5, `to be tried again after ${retryAfterSeconds} s`)
  t.equal((await target.post({ token: await provider.tokenFor('alice', { key: three }) })).status, 201)
  await sleep(retryAfterSeconds * 1000)
  t.equal((await target.post({ token })).status, 201)
  t.ok(provider.counts.keys - before <= 2, `${provider.counts.keys - before} reads`)
  t.equal(target.takePosts().length, 2)
})

t.test('known keys work while the provider is away', async t => {
  await provider.stop()
  t.same(await statusesOf(20, () => provider.tokenFor('alice')), [201])
  t.equal((await fetch(`${adminUrl}/readyz`)).status, 200)
  t.equal(target.takePosts().length, 20)
  await provider.restart()
  await stillServes(t, target)
})

t.test('a provider that cannot be asked at the start is not taken for a wrong token', async t => {
  const late = await startIdentityProvider(t, [one])
  await late.stop()
  const url = { AUTH_JWT_JWKS_URL: `${late.issuer}/keys` }
  const cold = await startTarget(t, {
    env: { ...late.env, ...url },
    mint: user => late.tokenFor(user),
    waitFor: 'listening'
  })

  const answer = await cold.post({})
  isRefusal(t, answer, 503, 'identity-provider-unavailable')
  t.match(answer.headers.get('retry-after'), /^[1-9]\d?$/)
  t.notOk(answer.headers.has('www-authenticate'))
  t.notMatch(answer.text, new URL(late.issuer).port, 'its address is not told')
  const forged = hmacToken({ alg: 'HS256' }, { iss: late.issuer, aud: AUDIENCE, sub: 'alice', exp: 9999999999 }, '')
  t.ok([401, 503].includes((await cold.post({ token: forged })).status))
  const ready = await fetch(`${cold.service.adminUrl}/readyz?verbose`)
  t.equal(ready.status, 503)
  t.match(await ready.json(), { status: 'not-ready', reasons: ['identity-provider-keys'] })
  t.equal((await fetch(`${cold.service.adminUrl}/livez`)).status, 200)
  t.same(cold.emulator.requests, [])

  await late.restart()
  const [recovered] = await until(
    () => readiness(cold.service),
    ([status]) => status === 200
  )
  t.equal(recovered, 200, 'it recovers without being called')
  await stillServes(t, cold)
  t.equal(late.counts.metadata, 0, 'the keys have an address of their own')
})
