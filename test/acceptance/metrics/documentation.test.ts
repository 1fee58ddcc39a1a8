// docs/metrics.md against what a scraper really reads, and Prometheus' own opinion of it.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { freePort } from '../../helpers/free-port.ts'
import { declaredIn, scrape } from '../../helpers/metrics.ts'
import { startScrapedWorkers } from '../../helpers/scraped-workers.ts'
import { until } from '../../helpers/until.ts'

t.setTimeout(240_000)
const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
const OPEN = 'application/openmetrics-text'

interface Row {
  readonly name: string
  readonly labels: readonly string[]
}

const rows: Row[] = Array.from(
  page.matchAll(/^\| `([a-z0-9_]+)` \| ([^|]*) \|[^|]+\|[^|]*\|$/gm),
  ([, name = '', labels = '']) => ({
    name,
    labels: Array.from(labels.matchAll(/`([a-z_]+)`/g), ([, label = '']) => label).sort()
  })
)

const { target, live, directory } = await startScrapedWorkers(t)

/** The metric that a line of it belongs to. */
function metricOf(series: string, types: ReadonlyMap<string, string>): string {
  const name = series.replace(/\{.*$/, '')
  return types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')
}

function labelsOf(series: string): string[] {
  return Array.from(series.matchAll(/([a-z_]+)="/g), ([, label = '']) => label)
}

t.test('every metric of a live scrape has a row, and every row has a metric', async t => {
  t.ok(rows.length > 30)
  t.strictSame(rows.map(({ name }) => name).sort(), [...declaredIn(live.text).keys()].sort())
})

t.test('every label of a live scrape is in the row of its metric, and every label of a row is there', async t => {
  const types = declaredIn(live.text)
  const seen = new Map<string, Set<string>>()
  for (const series of live.figures.keys()) {
    const metric = metricOf(series, types)
    const labels = seen.get(metric) ?? new Set()
    for (const label of labelsOf(series)) if (label !== 'le' && label !== 'worker') labels.add(label)
    seen.set(metric, labels)
  }
  for (const { name, labels } of rows) t.strictSame([...(seen.get(name) ?? [])].sort(), labels, name)
})

t.test('the build says which it is', async t => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  t.equal(live.value('build_info', { worker: '1', version, commit: 'c0ffee1' }), 1)
})

t.test('both formats say the same, each under its own content type', async t => {
  const open = await scrape(target.service.adminUrl, OPEN)

  t.equal(live.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  t.equal(open.headers.get('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8')
  for (const { headers } of [live, open]) t.equal(headers.get('cache-control'), 'no-store')
  t.ok(open.text.endsWith('\n# EOF\n'))
  t.strictSame([...open.figures.keys()].sort(), [...live.figures.keys()].sort())
})

t.test('promtool finds nothing wrong with it', { skip: missing('promtool') }, async t => {
  const promtool = spawn('promtool', ['check', 'metrics'])
  promtool.stdin.end(live.text)
  const said = await Promise.all([text(promtool.stdout), text(promtool.stderr)])

  await until(() => promtool.exitCode !== null)
  t.same([said.join(''), promtool.exitCode], ['', 0])
})

t.test('Prometheus scrapes it, as OpenMetrics, and finds every figure', { skip: missing('prometheus') }, async t => {
  const port = await freePort()
  const config = join(directory, 'prometheus.yml')
  const { host } = new URL(target.service.adminUrl)
  writeFileSync(
    config,
    `{global: {scrape_interval: 1s}, scrape_configs: [{job_name: bff, static_configs: [{targets: ['${host}']}]}]}`
  )
  const prometheus = spawn(
    'prometheus',
    [`--config.file=${config}`, `--storage.tsdb.path=${directory}/tsdb`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: 'ignore' }
  )
  t.teardown(() => prometheus.kill('SIGKILL'))
  const ask = async (query: string): Promise<number | undefined> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { data } = (await answer.json()) as { data?: { result: { value: [number, string] }[] } }
    return data?.result[0] && Number(data.result[0].value[1])
  }
  await until(async () => (await ask('up').catch(() => undefined)) === 1)

  t.equal(await ask('scrape_samples_scraped'), live.figures.size)
  t.equal(
    await ask('sum(reply_verdicts_total{delivery="sent"})'),
    sumOf(live, 'reply_verdicts_total{', 'delivery="sent"')
  )
  const median = await ask('histogram_quantile(0.5, sum by (le) (http_server_request_duration_seconds_bucket))')
  t.ok(median !== undefined && median > 0, `${median} s`)
})

function sumOf({ figures }: typeof live, name: string, label: string): number {
  return [...figures].reduce(
    (sum, [series, value]) => (series.startsWith(name) && series.includes(label) ? sum + value : sum),
    0
  )
}

t.test('HEAD is answered without a body, another method and another address with 404', async t => {
  const { adminUrl } = target.service
  const head = await fetch(`${adminUrl}/metrics`, { method: 'HEAD' })

  t.same(
    [head.status, head.headers.get('content-type'), await head.text()],
    [200, 'text/plain; version=0.0.4; charset=utf-8', '']
  )
  for (const [method, path] of [
    ['POST', '/metrics'],
    ['DELETE', '/metrics'],
    ['GET', '/metrics/'],
    ['GET', '/metrics%2f']
  ] as const) {
    const answer = await fetch(`${adminUrl}${path}`, { method })
    t.same([answer.status, await answer.json()], [404, { status: 'not-found' }], `${method} ${path}`)
  }
  t.equal((await fetch(`${target.service.url}/metrics`)).status, 404, 'callers see nothing of it')
})

function missing(command: string): string | false {
  return spawnSync(command, ['--version']).error === undefined ? false : `${command} is not installed`
}
