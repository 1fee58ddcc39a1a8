// The door as an address meets it; the proxy in front is this machine, which names whom it likes.
import t from 'tap'
import { startTarget } from '../../helpers/target.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const TRUSTED = { LIMIT_MODE: undefined, LIMIT_USER_PER_MINUTE: '0', TRUST_PROXY: '127.0.0.1' }
const from = (address: string) => ({ 'x-forwarded-for': address })
const ATTACKER = '203.0.113.5'
const NEIGHBOUR = '203.0.113.6'

type Target = Awaited<ReturnType<typeof startTarget>>

async function fail(target: Target, times: number, headers: Record<string, string>): Promise<number[]> {
  const statuses: number[] = []
  for (let count = 0; count < times; count++) {
    statuses.push((await target.post({ token: 'a.forged.token', headers })).status)
  }
  return statuses
}

t.test('an address that fails too often is told no more, and a good token still gets in', async t => {
  const target = await startTarget(t, { env: { ...TRUSTED, LIMIT_FAILURES_PER_MINUTE: '10' } })
  const statuses = await fail(target, 15, from(ATTACKER))
  t.same(statuses.slice(0, 10), Array(10).fill(401))
  t.same(statuses.slice(10), Array(5).fill(429))
  const refused = await target.post({ token: 'a.forged.token', headers: from(ATTACKER) })
  t.match(refused.json, { code: 'rate-limited', delivery: 'not-sent', 'violated-policies': ['address'] })
  t.ok(Number(refused.headers.get('retry-after')) > 0)
  t.equal(refused.headers.get('www-authenticate'), null)
  t.equal(refused.headers.get('ratelimit'), null)
  t.equal((await target.post({ headers: from(ATTACKER) })).status, 201, 'from the same address')
  t.equal((await target.post({ headers: from(NEIGHBOUR) })).status, 201)
  t.same(await fail(target, 1, from(NEIGHBOUR)), [401])
  t.match(await target.service.lineWhere(({ reason }) => reason === 'limit-address'), { status: 429 })
})

t.test('the ceiling of an address is not that of a service, nor of this machine', async t => {
  const env = { ...TRUSTED, LIMIT_ADDRESS_PER_MINUTE: '20', LIMIT_FAILURES_PER_MINUTE: '0', AUTH_ACT_SCOPE: 'act' }
  const target = await startTarget(t, { env })
  const statuses: number[] = []
  for (let count = 0; count < 25; count++) statuses.push((await target.post({ headers: from(ATTACKER) })).status)
  t.same([...new Set(statuses.slice(0, 20))], [201])
  t.same([...new Set(statuses.slice(20))], [429])
  const nothing = await fetch(`${target.service.url}/nothing`, { headers: from(ATTACKER) })
  t.equal(nothing.status, 429, 'whatever is asked')
  const token = await tokenFor('robot', { claims: { scope: 'act', client_id: 'robot' } })
  const acting = await target.post({ token, headers: { ...from(ATTACKER), 'x-acting-for': 'bob' } })
  t.equal(acting.status, 201, 'a service')
  for (let count = 0; count < 25; count++) t.equal((await target.post({})).status, 201, 'loopback')
  t.equal((await target.post({ headers: from(NEIGHBOUR) })).status, 201)
})

t.test('where a stranger says for whom it forwards nobody is refused, and the operator is told once', async t => {
  const env = { LIMIT_MODE: undefined, LIMIT_USER_PER_MINUTE: '0', LIMIT_FAILURES_PER_MINUTE: '5' }
  const target = await startTarget(t, { env })
  t.same([...new Set(await fail(target, 12, from(ATTACKER)))], [401])
  t.same([...new Set(await fail(target, 12, { forwarded: 'for=203.0.113.5' }))], [401])
  await target.service.lineWhere(({ msg }) => String(msg).includes('TRUST_PROXY'))
  const warnings = target.service.logLines().filter(({ msg }) => String(msg).includes('TRUST_PROXY'))
  t.equal(warnings.length, 1)
  t.same(await fail(target, 1, {}), [429], 'the peer itself is known')
})

t.test('forged addresses of a trusted proxy each stand for themselves', async t => {
  const target = await startTarget(t, { env: { ...TRUSTED, LIMIT_FAILURES_PER_MINUTE: '5' } })
  await fail(target, 6, from('198.51.100.1, 203.0.113.5'))
  t.same(await fail(target, 1, from('198.51.100.2, 203.0.113.5')), [429], 'the nearest one counts')
  t.same(await fail(target, 1, from('203.0.113.5, 198.51.100.9')), [401])
})

t.test('observe refuses nothing at the door', async t => {
  const env = { ...TRUSTED, LIMIT_MODE: 'observe', LIMIT_ADDRESS_PER_MINUTE: '5', LIMIT_FAILURES_PER_MINUTE: '3' }
  const target = await startTarget(t, { env })
  t.same([...new Set(await fail(target, 8, from(ATTACKER)))], [401])
  t.match(await target.service.lineWhere(({ msg }) => msg === 'a limit would refuse requests'), { policy: 'address' })
})
