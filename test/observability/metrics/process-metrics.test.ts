import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Family } from '../../../src/observability/metrics/family.ts'
import { ProcessMetrics } from '../../../src/observability/metrics/process-metrics.ts'

/** The first figure of a metric. */
function firstOf(families: readonly Family[], name: string): number {
  const family = families.find(family => family.name === name)
  return family?.type === 'histogram' ? Number.NaN : (family?.samples[0]?.value ?? Number.NaN)
}

t.test(
  'a pause of the event loop is its longest delay, for every scraper within five seconds and no longer',
  async t => {
    let nowMs = 0
    const metrics = new ProcessMetrics({ version: '1.2.3', commit: 'unknown', monotonic: () => nowMs })
    t.teardown(() => metrics.close())
    const longest = () => firstOf(metrics.families(), 'nodejs_eventloop_delay_max_seconds')
    t.equal(longest(), 0, 'nothing is known yet, and that is a figure')
    await sleep(60)
    for (const endMs = performance.now() + 300; performance.now() < endMs; );
    await sleep(60)

    t.ok(longest() >= 0.25, `${longest()} s`)
    const pause = longest()
    nowMs = 4999
    t.ok(longest() >= 0.25, 'another scraper is told the same')
    nowMs = 5000
    t.ok(longest() >= 0.25, 'the window ends with this look')
    t.ok(longest() >= 0.25, 'and counts until there is anything in the next one')
    await sleep(60)
    // A busy machine makes pauses of its own: this one is forgotten all the same.
    t.not(longest(), pause)
  }
)

t.test('the figures of the process are those of the system', async t => {
  const metrics = new ProcessMetrics({ version: '1.2.3', commit: 'c0ffee1', monotonic: () => 0 })
  t.teardown(() => metrics.close())
  const families = metrics.families()
  const build = families.find(({ name }) => name === 'build_info')

  t.match(build, { samples: [{ labels: { version: '1.2.3', commit: 'c0ffee1' }, value: 1 }] })
  const rss = process.memoryUsage.rss()
  const told = firstOf(families, 'process_resident_memory_bytes')
  t.ok(Math.abs(told - rss) < rss / 2, `${told} of ${rss}`)
  t.ok(Math.abs(firstOf(families, 'process_start_time_seconds') - (Date.now() / 1000 - process.uptime())) < 2)
  const { user, system } = process.cpuUsage()
  const cpu = firstOf(families, 'process_cpu_seconds_total')
  t.ok(cpu > 0 && cpu <= (user + system) / 1e6)
  t.ok(firstOf(families, 'nodejs_heap_size_used_bytes') < firstOf(families, 'nodejs_heap_size_limit_bytes'))
})
