// What is counted of a request, by what its line in the log says.
import t from 'tap'
import { createRandom } from '../../../emulator/random.ts'
import { PROBLEMS, type ProblemCode } from '../../../src/lib/refusals/problems.ts'
import { CREDENTIAL_REASONS, REFUSAL_REASONS } from '../../../src/lib/refusals/reasons.ts'
import { LogFields } from '../../../src/observability/log-fields.ts'
import { expose } from '../../../src/observability/metrics/exposition.ts'
import { RequestMetrics } from '../../../src/observability/metrics/request-metrics.ts'
import { figuresIn } from '../../helpers/metrics.ts'
import { seedOf } from '../../helpers/seed.ts'

const REPLIES = '/threads/:parentId/replies'
const ROUTES = [REPLIES, '/auth/login', '/auth/callback', '/auth/logout', '/auth/me', '*']
const SCHEMES = ['bearer', 'app-session', 'login']
const REQUESTS = 100_000

function newMetrics(): RequestMetrics {
  const metrics = new RequestMetrics({ repliesRoute: REPLIES, schemes: SCHEMES })
  for (const route of ROUTES) metrics.knowRoute(route)
  return metrics
}

function factsOf(fields: Partial<LogFields>): LogFields {
  return Object.assign(new LogFields(), { method: 'POST', route: REPLIES, status: 201, durationMs: 12, ...fields })
}

async function figuresOf(metrics: RequestMetrics): Promise<Map<string, number>> {
  return figuresIn((await expose(metrics.families(), 'prometheus')).text)
}

t.test('100,000 random requests have no more series than the lists allow, and each is counted', async t => {
  const random = createRandom(seedOf(t))
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const word = (): string => `canary-${Math.floor(random() * 2 ** 48).toString(36)}`
  const codes = Object.keys(PROBLEMS) as ProblemCode[]
  const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PROPFIND', 'QUERY', '', '__proto__', 'constructor']
  const metrics = newMetrics()
  let half = 0
  for (let turn = 0; turn < REQUESTS; turn++) {
    const code = pick([undefined, ...codes])
    const isReply = random() < 0.5
    const facts = factsOf({
      method: isReply ? 'POST' : pick([...methods, word()]),
      route: isReply ? REPLIES : pick([...ROUTES, 'none', `/${word()}`, '__proto__']),
      status: code === undefined ? pick([200, 201, 204, 303, 599, Number.NaN]) : PROBLEMS[code].status,
      durationMs: random() * 20_000,
      delivery: pick(['sent', 'not-sent', 'unknown']),
      reason: pick([...CREDENTIAL_REASONS, ...REFUSAL_REASONS, word(), 'toString', '__proto__']),
      scheme: pick([...SCHEMES, word()]),
      subject: word(),
      issuer: word(),
      parentId: word(),
      ...(code !== undefined && { code }),
      ...(random() < 0.5 && { uid: word() })
    })
    facts.noteCredential(pick([...SCHEMES, word(), 'constructor']))
    metrics.note(facts)
    if (turn === REQUESTS / 2) half = (await figuresOf(metrics)).size
  }
  const figures = await figuresOf(metrics)

  t.equal(figures.size, half, 'the second half added no series')
  t.ok(figures.size < 3000, `${figures.size} lines`)
  t.notMatch([...figures.keys()].join('\n'), /canary|__proto__|constructor|toString|NaN/)
  const counted = [...figures].filter(([series]) => series.startsWith('http_server_request_duration_seconds_count'))
  t.equal(
    counted.reduce((sum, [, count]) => sum + count, 0),
    REQUESTS
  )
})

t.test('a reply that is explained is no verdict, and a request to another route is none', async t => {
  const metrics = newMetrics()
  metrics.note(factsOf({ status: 200, delivery: 'not-sent', explained: true }))
  metrics.note(
    factsOf({ route: '/auth/logout', status: 403, code: 'csrf', delivery: 'not-sent', reason: 'csrf-proof' })
  )
  metrics.note(factsOf({ method: 'GET', status: 405, code: 'method-not-allowed', delivery: 'not-sent' }))
  const figures = await figuresOf(metrics)

  for (const [series, value] of figures) if (series.startsWith('reply_verdicts_total')) t.equal(value, 0, series)
  t.equal(figures.get('auth_results_total{reason="csrf-proof"}'), 1)
})

t.test('a limit is counted by its ring, and every limit has one', async t => {
  const metrics = newMetrics()
  const reasons = [
    ...[
      'limit-address',
      'limit-user',
      'limit-service',
      'limit-app',
      'cometchat',
      'event-loop',
      'memory',
      'connections'
    ],
    ...['upstream-queue', 'upstream-time', 'upstream-throttle', 'upstream-breaker']
  ]
  for (const reason of reasons) metrics.note(factsOf({ status: 503, code: 'overloaded', delivery: 'not-sent', reason }))
  metrics.note(factsOf({ status: 503, code: 'draining', delivery: 'not-sent', reason: 'draining' }))
  const figures = await figuresOf(metrics)

  const byRing = ['door', 'quota', 'upstream', 'process', 'cometchat'].map(ring => [
    ring,
    figures.get(`limit_refusals_total{ring="${ring}"}`)
  ])
  t.strictSame(Object.fromEntries(byRing), { door: 1, quota: 3, upstream: 4, process: 3, cometchat: 1 })
})

t.test('a credential that nobody could judge is not one that was refused', async t => {
  const metrics = newMetrics()
  const away = factsOf({
    status: 503,
    code: 'identity-provider-unavailable',
    delivery: 'not-sent',
    reason: 'keys-unreachable'
  })
  away.noteCredential('bearer')
  metrics.note(away)
  const known = factsOf({ status: 503, code: 'store-unavailable', reason: 'records', uid: 'alice', scheme: 'login' })
  known.noteCredential('login')
  metrics.note(known)
  const before = factsOf({ status: 503, code: 'draining', reason: 'draining' })
  metrics.note(before)
  const hidden = factsOf({ status: 429, code: 'rate-limited', reason: 'limit-address' })
  hidden.noteCredential('bearer')
  metrics.note(hidden)
  const figures = await figuresOf(metrics)

  t.equal(figures.get('auth_results_total{reason="unavailable",scheme="bearer"}'), 1)
  t.equal(figures.get('auth_results_total{reason="accepted",scheme="login"}'), 1)
  t.equal(figures.get('auth_results_total{reason="accepted",scheme="bearer"}'), 0)
})

t.test('a search is counted by what it found, and a reply that was not searched for is none', async t => {
  const metrics = newMetrics()
  metrics.note(factsOf({ delivery: 'sent' }))
  metrics.note(factsOf({ delivery: 'sent', reconciled: 'found' }))
  const figures = await figuresOf(metrics)

  t.strictSame(
    Object.fromEntries([...figures].filter(([series]) => series.startsWith('reply_reconciliations_total'))),
    {
      'reply_reconciliations_total{result="found"}': 1,
      'reply_reconciliations_total{result="absent"}': 0,
      'reply_reconciliations_total{result="unclear"}': 0
    }
  )
})
