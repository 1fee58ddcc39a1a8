// What each figure of /metrics says, after a known number of things has happened.
import { mkdtempSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createSigningKey, startIdentityProvider } from '../../helpers/identity-provider.ts'
import { type Scrape, scrape } from '../../helpers/metrics.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { startTarget, type TargetOptions } from '../../helpers/target.ts'
import { tokenFor } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'

t.setTimeout(240_000)
const REPLIES = { http_request_method: 'POST', http_route: '/threads/:parentId/replies' }
const POSTED = { http_request_method: 'POST', url_template: '/messages/{id}/thread' }

/** A service, and what its counters went up by since it was last asked. */
async function startCounted(t: Test, options: TargetOptions = {}) {
  const target = await startTarget(t, options)
  let former = await scrape(target.service.adminUrl)
  return {
    ...target,
    async increase(): Promise<Scrape['value']> {
      const now = await scrape(target.service.adminUrl)
      const before = former
      former = now
      return (name, labels) => (now.value(name, labels) ?? 0) - (before.value(name, labels) ?? 0)
    },
    gauges: () => scrape(target.service.adminUrl)
  }
}

type Counted = Awaited<ReturnType<typeof startCounted>>

t.test('a service', async t => {
  const counted = await startCounted(t, { env: { REPLY_DEADLINE_MS: '4000', QUIET_PERIOD_MS: '0' } })
  await t.test('counts three replies that were sent and one that was refused as exactly that', t =>
    sentAndRefused(t, counted)
  )
  await t.test('counts what a key is told', t => keys(t, counted))
  await t.test('counts a reply in doubt, and what its thread said', t => doubt(t, counted))
  await t.test('counts credentials by their scheme, and by why they are refused', t => credentials(t, counted))
  await t.test('counts what nobody knows under no route, and by no name of the caller', t => strangers(t, counted))
  await t.test('knows how long CometChat took, and how many calls are under way', t => durations(t, counted))
  await t.test('counts an alarm for each line of the log', t => alarms(t, counted))
})

async function sentAndRefused(t: Test, { post, increase }: Counted): Promise<void> {
  const beganAtMs = performance.now()
  for (const _ of [1, 2, 3]) t.equal((await post({})).status, 201)
  t.equal((await post({ body: { data: {} } })).status, 422)
  const tookSeconds = (performance.now() - beganAtMs) / 1000
  const value = await increase()

  t.equal(value('reply_verdicts_total', { delivery: 'sent', code: 'none' }), 3)
  t.equal(value('reply_verdicts_total', { delivery: 'not-sent', code: 'invalid-request' }), 1)
  const sent = { ...REPLIES, http_response_status_code: '201' }
  const refused = { ...REPLIES, http_response_status_code: '422', error_type: 'invalid-request' }
  t.equal(value('http_server_request_duration_seconds_count', sent), 3)
  t.equal(value('http_server_request_duration_seconds_bucket', { ...sent, le: '+Inf' }), 3)
  t.equal(value('http_server_request_duration_seconds_count', refused), 1)
  const spent = value('http_server_request_duration_seconds_sum', sent) ?? 0
  t.ok(spent > 0 && spent <= tookSeconds, `${spent} of ${tookSeconds} s`)
  t.equal(value('http_client_request_duration_seconds_count', { ...POSTED, http_response_status_code: '200' }), 3)
  t.equal(value('upstream_queue_seconds_count'), 4, 'three replies, and the message that they reply to')
  t.equal(value('auth_results_total', { scheme: 'bearer', reason: 'accepted' }), 4)
  const store = { store: 'memory' }
  t.equal(value('store_transition_duration_seconds_count', { ...store, transition: 'acquire' }), 3)
  t.equal(value('store_transition_duration_seconds_count', { ...store, transition: 'release' }), 3)
}

async function keys(t: Test, { post, increase, gauges }: Counted): Promise<void> {
  const headers = { 'idempotency-key': 'one-key' }
  await post({ headers })
  await post({ headers })
  await post({ headers, body: { data: { text: 'another one' } } })
  const value = await increase()

  t.same(
    ['new', 'replayed', 'reused', 'in-flight', 'in-doubt', 'unavailable'].map(result =>
      value('idempotency_results_total', { result })
    ),
    [1, 1, 1, 0, 0, 0]
  )
  t.equal(value('reply_verdicts_total', { delivery: 'sent', code: 'none' }), 2, 'a caller was told so twice')
  const now = await gauges()
  t.equal(now.value('records', { state: 'done' }), 1)
  t.equal(now.value('records', { state: 'sent' }), 0)
}

async function doubt(t: Test, { emulator, post, increase, gauges }: Counted): Promise<void> {
  emulator.failNext({ kind: 'reset', commit: true }, { method: 'POST' })
  const headers = { 'idempotency-key': 'in-doubt' }
  t.equal((await post({ headers })).status, 502)
  t.equal((await gauges()).value('records', { state: 'sent' }), 1)
  t.equal((await post({ headers })).status, 201)
  const value = await increase()

  t.equal(value('reply_verdicts_total', { delivery: 'unknown', code: 'upstream-reset' }), 1)
  t.equal(value('reply_reconciliations_total', { result: 'found' }), 1)
  t.equal(value('idempotency_results_total', { result: 'in-doubt' }), 1)
  t.equal(value('http_client_request_duration_seconds_count', { ...POSTED, error_type: 'reset' }), 1)
  t.equal((await gauges()).value('records', { state: 'sent' }), 0)
}

async function credentials(t: Test, { post, increase, service, path }: Counted): Promise<void> {
  await post({ token: await tokenFor('alice', { claims: { exp: 1_000_000_000 } }) })
  await post({ token: 'no.to.ken' })
  await fetch(`${service.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  const value = await increase()

  t.equal(value('auth_results_total', { scheme: 'bearer', reason: 'token-expired' }), 1)
  t.equal(value('auth_results_total', { scheme: 'bearer', reason: 'token-form' }), 1)
  t.equal(value('auth_results_total', { reason: 'credential-missing' }), 1)
  t.equal(value('auth_results_total', { scheme: 'bearer', reason: 'accepted' }), 0)
  t.equal(value('reply_verdicts_total', { delivery: 'not-sent', code: 'unauthenticated' }), 3)
}

async function strangers(t: Test, { service, increase, gauges, send }: Counted): Promise<void> {
  await fetch(`${service.url}/wp-login.php?canary=7`, { headers: { 'user-agent': 'canary' } })
  await send({ method: 'PROPFIND', target: '/canary', lines: [] })
  const value = await increase()

  const nothing = { http_response_status_code: '404', error_type: 'not-found' }
  t.equal(value('http_server_request_duration_seconds_count', { http_request_method: 'GET', ...nothing }), 1)
  t.notMatch((await gauges()).text, /canary|PROPFIND|wp-login/)
  t.equal(value('reply_verdicts_total', { delivery: 'not-sent', code: 'not-found' }), 0, 'that was no reply')
}

async function durations(t: Test, { emulator, post, increase, gauges }: Counted): Promise<void> {
  emulator.failNext({ kind: 'delay', delayMs: 600 }, { method: 'POST' })
  const posting = post({})
  await until(async () => (await gauges()).value('upstream_inflight') === 1)
  await posting
  const value = await increase()

  const call = { ...POSTED, http_response_status_code: '200' }
  const took = value('http_client_request_duration_seconds_sum', call) ?? 0
  t.ok(took >= 0.6 && took < 4, `${took} s`)
  t.equal(value('http_client_request_duration_seconds_bucket', { ...call, le: '0.5' }), 0)
  t.equal(value('http_client_request_duration_seconds_bucket', { ...call, le: '5.0' }), 1)
  const now = await gauges()
  t.equal(now.value('upstream_inflight'), 0)
  t.ok((now.value('upstream_limit') ?? 0) >= 8)
}

async function alarms(t: Test, { emulator, post, increase, service }: Counted): Promise<void> {
  emulator.failNext({ kind: 'foreign-answer', of: 'other-user' }, { method: 'POST' })
  await post({})
  await post({})
  const value = await increase()

  const lines = service.logLines().filter(({ msg, alarm }) => msg === 'alarm' && alarm === 'upstream-mismatch')
  t.equal(lines.length, 1)
  t.equal(value('alarms_total', { alarm: 'upstream-mismatch' }), 1)
}

t.test('a limit that refuses is counted by its ring, and the rest of the app is told as its part', async t => {
  const env = { LIMIT_MODE: undefined, LIMIT_USER_PER_MINUTE: '2', LIMIT_APP_PER_MINUTE: '20' }
  const { post, increase, gauges } = await startCounted(t, { env })
  t.equal((await gauges()).value('quota_remaining_ratio'), 1)
  const statuses = []
  for (const _ of [1, 2, 3]) statuses.push((await post({})).status)
  const value = await increase()

  t.same(statuses, [201, 201, 429])
  t.equal(value('limit_refusals_total', { ring: 'quota' }), 1)
  t.equal(value('limit_refusals_total', { ring: 'door' }), 0)
  // Two replies, and one read of the message that they reply to.
  t.equal((await gauges()).value('quota_remaining_ratio'), 0.85)
})

t.test('a Redis that comes back as another run may have forgotten, and the figure says so', needsRedis(), async t => {
  const redis = await redisFor(t, { appendfsync: 'everysec' })
  const env = { STORE_URL: redis.url, STORE_SECRET: 'a-secret-of-records-for-tests-of-44-bytes-xx' }
  const { gauges } = await startCounted(t, { env })
  t.equal((await gauges()).value('store_forgetful'), 0)

  await redis.restart()

  await until(async () => (await gauges()).value('store_forgetful') === 1)
})

t.test(
  'keys have an age: those of an issuer since they were read, those of CometChat since their file was written',
  async t => {
    const provider = await startIdentityProvider(t, [await createSigningKey('one')])
    const file = join(mkdtempSync(join(tmpdir(), 'keys-')), 'key')
    const options: TargetOptions = { mint: user => provider.tokenFor(user) }
    const target = await startTarget(t, {
      ...options,
      env: {
        AUTH_JWT_ISSUER: provider.issuer,
        AUTH_JWT_SECRET: undefined,
        COMETCHAT_API_KEY: undefined,
        COMETCHAT_API_KEY_FILE: writtenLongAgo(file)
      }
    })
    const ages = await scrape(target.service.adminUrl)

    const ofIssuer = ages.value('jwks_age_seconds', { issuer: provider.issuer }) ?? -1
    t.ok(ofIssuer >= 0 && ofIssuer < 120, `${ofIssuer} s`)
    t.equal(ages.value('jwks_fetches_total', { result: 'ok' }), 1)
    const ofKey = ages.value('cometchat_key_age_seconds') ?? 0
    t.ok(ofKey >= 86_400 && ofKey < 86_700, `${ofKey} s`)
    writeFileSync(file, 'another-key-that-is-new')
    await until(async () => ((await scrape(target.service.adminUrl)).value('cometchat_key_age_seconds') ?? 0) < 120)
  }
)

function writtenLongAgo(path: string): string {
  const yesterday = Date.now() / 1000 - 86_400
  writeFileSync(path, 'a-key-that-was-in-use-before')
  utimesSync(path, yesterday, yesterday)
  return path
}
