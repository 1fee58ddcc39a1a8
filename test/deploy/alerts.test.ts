// Alerts and the dashboard against a service that runs: every name in a query is in a scrape of it, every query is one for a
// real Prometheus, every alarm wakes somebody, and every alert has its section in the runbook, whose commands run.
import { execFile, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { freePort } from '../helpers/free-port.ts'
import { startScrapedWorkers } from '../helpers/scraped-workers.ts'
import { until } from '../helpers/until.ts'
import { type Known, knownFrom, selectorsIn, unknownIn } from './selectors.ts'

t.setTimeout(240_000)
const ROOT = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const PROMETHEUS = fileURLToPath(new URL('deploy/prometheus/', ROOT))

interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels?: { readonly severity: string }
  readonly annotations?: { readonly runbook_url: string }
}
interface Panel {
  readonly title: string
  readonly type: string
  readonly targets?: readonly { readonly expr: string }[]
}

const rules = (parse(read('deploy/prometheus/alerts.yml')).groups as { rules: Rule[] }[]).flatMap(group => group.rules)
const alerts = rules.filter(({ alert }) => alert !== undefined)
const panels = JSON.parse(read('deploy/grafana/dashboard.json')).panels as Panel[]
/** What Grafana would put in their places. */
const shown = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({
    title,
    expr: expr.replaceAll('$job', '.*').replaceAll('$instance', '.*').replaceAll('$__rate_interval', '10s')
  }))
)
const queries = [...rules.map(({ expr }) => expr), ...shown.map(({ expr }) => expr)]
const runbook = read('docs/operations.md')

const { target, live, directory } = await startScrapedWorkers(t)

/** What was recorded by a rule is known, too; `up` is Prometheus' own. */
const known: Known = new Map<string, ReadonlyMap<string, ReadonlySet<string>>>([
  ...knownFrom(live.figures.keys()),
  ...rules.flatMap(({ record }) => (record === undefined ? [] : [[record, new Map()] as const]))
])

t.test('every metric, label and value in a query is in a scrape', async t => {
  for (const query of queries) t.strictSame(unknownIn(query, known), [], query)
  const selectors = queries.flatMap(selectorsIn)
  t.ok(selectors.length > 80, `${selectors.length} selectors`)
  t.strictSame(unknownIn('sum by (nothing) (alarms_total{alarm="none", nowhere="x"}) + none_at_all', known), [
    'alarms_total{alarm="none"}',
    'alarms_total{nowhere}',
    'none_at_all',
    'by (nothing)'
  ])
})

t.test('every alarm of the log is in a query of an alert', async t => {
  const queried = alerts.flatMap(({ expr }) =>
    selectorsIn(expr).flatMap(({ metric, matchers }) =>
      metric === 'alarms_total' ? matchers.flatMap(({ values }) => values) : []
    )
  )
  const table = read('docs/logs.md').split('## Alarms')[1]?.split('\n## ')[0] ?? ''
  const documented = Array.from(table.matchAll(/^\| `([a-z-]+)` \|/gm), ([, alarm = '']) => alarm)

  t.ok(documented.length >= 12)
  t.strictSame([...new Set(queried)].sort(), documented.sort())
})

t.test('every alert has a section in the runbook, which says how it is told, with three commands', async t => {
  const sections = new Map(
    Array.from(
      runbook.split('\n## Alerts')[1]?.matchAll(/^### (\w+)\n([\s\S]*?)(?=^### |$(?![\s\S]))/gm) ?? [],
      ([, name = '', text = '']) => [name.toLowerCase(), text]
    )
  )
  const used = new Set<string>()
  for (const { alert, labels, annotations } of alerts) {
    const [file, anchor = ''] = annotations?.runbook_url.split('#') ?? []
    t.equal(file, 'docs/operations.md', `${alert}`)
    used.add(anchor)
    if (anchor === 'rotating-the-key') continue
    const text = sections.get(anchor) ?? ''
    t.match(text.toLowerCase(), labels?.severity, `${alert}`)
    t.equal(text.match(/^ {4}\S/gm)?.length, 3, `${alert}: commands`)
  }
  for (const name of sections.keys()) t.ok(used.has(name), `${name} is a section of an alert`)
  t.ok(sections.size >= 10)
})

t.test('every command of the runbook runs', missing('jq', 'bash'), async t => {
  const log = join(directory, 'service.log')
  writeFileSync(log, `${target.service.output.join('\n')}\n`)
  const commands = Array.from(
    runbook
      .split('\n### ')
      .slice(1)
      .join('')
      .matchAll(/^ {4}(\S.*)$/gm),
    ([, command = '']) => command
  )
  const env = { ...process.env, admin: target.service.adminUrl, url: target.service.url, log }
  for (const command of commands) {
    const { code, stderr } = await bash(command, env)
    t.same([code, stderr], [0, ''], command)
  }
  t.ok(commands.length >= 30)
})

t.test(
  'promtool finds nothing wrong with the rules, and each alert is told when it should be',
  missing('promtool'),
  async t => {
    for (const args of [
      ['check', 'config', 'prometheus.yml'],
      ['test', 'rules', 'alerts.test.yml']
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: PROMETHEUS, encoding: 'utf8' })
      t.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`)
    }
    const tested = read('deploy/prometheus/alerts.test.yml')
    for (const { alert } of alerts)
      t.match(tested, new RegExp(`alertname: ${alert}\\n {8}exp_alerts:\\n {10}- `), `${alert}`)
  }
)

/** Of what this run has none of: failures, several issuers, a Redis. */
const EMPTY_HERE = ['Refusals by code']

t.test('a Prometheus understands every query, and every panel shows something', missing('prometheus'), async t => {
  const ask = await startPrometheus()
  await until(async () => (await ask('count(up == 1)').catch(() => []))[0] === '1')
  // A rate takes two scrapes.
  await target.post({ headers: { 'idempotency-key': 'one-more' } })
  await until(async () => Number((await ask('sum(rate(reply_verdicts_total{delivery="sent"}[10s]))'))[0]) > 0)
  await until(async () => (await ask('job:reply_faults:ratio_rate5m')).length > 0)

  for (const { expr } of alerts) await t.resolves(ask(expr), expr)
  const empty = []
  for (const { title, expr } of shown) if ((await ask(expr)).length === 0) empty.push(title)
  t.strictSame(
    empty.filter(title => !EMPTY_HERE.includes(title)),
    []
  )
})

/** Scrapes the service every second; says the values of a query, and throws for one that it does not understand. */
async function startPrometheus(): Promise<(query: string) => Promise<string[]>> {
  const port = await freePort()
  copyFileSync(join(PROMETHEUS, 'alerts.yml'), join(directory, 'alerts.yml'))
  const config = parse(read('deploy/prometheus/prometheus.yml'))
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' }
  config.scrape_configs[0].static_configs[0].targets = [new URL(target.service.adminUrl).host]
  writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config))
  const args = [`--config.file=${directory}/prometheus.yml`, `--storage.tsdb.path=${directory}/tsdb`]
  const prometheus = spawn('prometheus', [...args, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
  t.teardown(() => prometheus.kill('SIGKILL'))
  return async query => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { data, error } = (await answer.json()) as {
      data?: { result: { value: [number, string] }[] }
      error?: string
    }
    if (!data) throw new Error(`${error}: ${query}`)
    return data.result.map(({ value }) => value[1])
  }
}

function bash(
  command: string,
  env: NodeJS.ProcessEnv
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  return new Promise(resolve => {
    const child = execFile('bash', ['-c', command], { env, cwd: directory }, (_error, _stdout, stderr) => {
      resolve({ code: child.exitCode, stderr })
    })
  })
}

function missing(...commands: readonly string[]): { skip?: string } {
  const absent = commands.find(command => spawnSync('which', [command]).status !== 0)
  return absent === undefined || process.env['CI'] ? {} : { skip: `${absent} is not installed` }
}
