// What is counted of the events of the house.
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { ServiceEvent } from '../../../src/observability/events.ts'
import { EventMetrics } from '../../../src/observability/metrics/event-metrics.ts'
import { expose } from '../../../src/observability/metrics/exposition.ts'
import { figuresIn } from '../../helpers/metrics.ts'

async function figuresAfter(events: readonly ServiceEvent[]): Promise<Map<string, number>> {
  const metrics = new EventMetrics({ store: 'redis', describedMembers: ['sentAt', 'tags'] })
  for (const event of events) metrics.note(event)
  return figuresIn((await expose(metrics.families(), 'prometheus')).text)
}

t.test('a call is counted by where it went and how it ended; one without a turn only waited', async t => {
  const call = { name: 'upstream-attempt', queueMs: 2, durationMs: 30 } as const
  const figures = await figuresAfter([
    { ...call, call: 'GET /users/{uid}', status: 404 },
    { ...call, call: 'POST /users', status: 299 },
    { ...call, call: 'POST /messages/{id}/thread', cause: 'deadline' },
    { ...call, call: 'GET /messages/{id}', durationMs: undefined, queueMs: 4000, cause: 'overloaded' }
  ])
  const count = (labels: string) => figures.get(`http_client_request_duration_seconds_count{${labels}}`)

  t.equal(
    count('error_type="404",http_request_method="GET",http_response_status_code="404",url_template="/users/{uid}"'),
    1
  )
  t.equal(count('http_request_method="POST",http_response_status_code="other",url_template="/users"'), 1)
  t.equal(count('error_type="deadline",http_request_method="POST",url_template="/messages/{id}/thread"'), 1)
  t.equal([...figures.keys()].filter(series => series.includes('url_template="/messages/{id}"')).length, 0)
  t.equal(figures.get('upstream_queue_seconds_count'), 4)
  t.equal(figures.get('upstream_queue_seconds_bucket{le="0.005"}'), 3)
  t.equal(figures.get('upstream_queue_seconds_sum'), 4.006)
})

t.test('that too few replicas confirm is shown until enough do', async t => {
  const shownAfter = async (...events: readonly boolean[]) =>
    (await figuresAfter(events.map(areEnough => ({ name: 'store-replicas', areEnough })))).get('store_replicas_missing')
  t.same([await shownAfter(), await shownAfter(false), await shownAfter(false, true)], [0, 1, 0])
})

t.test('a transition that failed took its time, and is counted as failed', async t => {
  const transition = { name: 'store-transition', store: 'redis', transition: 'complete' } as const
  const figures = await figuresAfter([
    { ...transition, durationMs: 1, isFailed: false },
    { ...transition, durationMs: 2000, isFailed: true }
  ])
  const labels = '{store="redis",transition="complete"}'

  t.equal(figures.get(`store_transition_duration_seconds_count${labels}`), 2)
  t.equal(figures.get(`store_transition_duration_seconds_sum${labels}`), 2.001)
  t.equal(figures.get(`store_transition_failures_total${labels}`), 1)
  t.equal(figures.get('store_transition_failures_total{store="redis",transition="acquire"}'), 0)
})

t.test(
  'every alarm of the log is known from the start, and each is counted once, however often it stands for',
  async t => {
    const names = Array.from(
      readFileSync(new URL('../../../docs/logs.md', import.meta.url), 'utf8')
        .split('## Alarms')[1]
        ?.split('\n## ')[0]
        ?.matchAll(/^\| `([a-z-]+)` \|/gm) ?? [],
      ([, name = '']) => name
    )
    const figures = await figuresAfter([
      { name: 'alarm', alarm: 'key-echoed' },
      { name: 'alarm', alarm: 'upstream-misconfigured', upstreamCode: 'ERR', times: 900 },
      { name: 'alarm', alarm: 'uid-taken', uid: 'alice' },
      { name: 'key-file-changed', keys: 1, problem: 'it holds no key' },
      { name: 'key-file-changed', keys: 1 },
      { name: 'issuers-changed', issuers: 1, problem: 'wrong' },
      { name: 'user-created', uid: 'alice' }
    ])
    const alarms = [...figures].filter(([series]) => series.startsWith('alarms_total'))

    t.ok(names.length > 5)
    t.strictSame(alarms.map(([series]) => series).sort(), names.map(name => `alarms_total{alarm="${name}"}`).sort())
    const raised = ['issuers-file', 'key-echoed', 'key-file', 'uid-taken', 'upstream-misconfigured']
    t.strictSame(
      alarms.flatMap(([series, value]) => (value === 1 ? [series] : [])).sort(),
      raised.map(name => `alarms_total{alarm="${name}"}`)
    )
  }
)

t.test('key sets, keys and deviations are counted by what was said of them', async t => {
  const fetched = { name: 'key-fetch', issuer: 'https://id.example', durationMs: 5 } as const
  const figures = await figuresAfter([
    { ...fetched, result: 'ok' },
    { ...fetched, result: 'keys-status-404' },
    { ...fetched, result: 'keys-unreachable' },
    { name: 'key-claim', result: 'in-doubt' },
    { name: 'upstream-deviation', member: 'sentAt', times: 1 },
    { name: 'upstream-deviation', member: 'sentAt', times: 41 },
    { name: 'upstream-deviation', member: 'canary', times: 1 }
  ])

  t.equal(figures.get('jwks_fetches_total{result="ok"}'), 1)
  t.equal(figures.get('jwks_fetches_total{result="failed"}'), 2)
  t.equal(figures.get('idempotency_results_total{result="in-doubt"}'), 1)
  t.equal(figures.get('upstream_deviations_total{member="sentAt"}'), 42)
  t.equal(figures.get('upstream_deviations_total{member="other"}'), 1)
  t.notMatch([...figures.keys()].join(), /canary|id\.example/)
})
