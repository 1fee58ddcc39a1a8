import { once } from 'node:events'
import t, { type Test } from 'tap'
import { withoutPostgres } from '../helpers/postgres-server.ts'
import { withoutRedis } from '../helpers/redis-server.ts'
import { startBench } from './bench-process.ts'

function needsServers(): { skip?: string } {
  const skip = withoutRedis() ?? withoutPostgres()
  return skip === undefined ? {} : { skip }
}

/** The first two cells of each row; the figures must be numbers. */
function rowsOf(t: Test, table: string): string[] {
  const rows = table.matchAll(/^\| ([a-z]+) \| (no|yes) \| ([\d.,]+) \| ([\d.,–]+) \| (\d+\.\d\d) \| /gm)
  return Array.from(rows, ([, records = '', keyed = '', cost = '', , ratio = '']) => {
    t.ok(Number(cost.replace(',', '')) > 0 && Number(ratio) > 0, `${records}, ${keyed}: ${cost} ${ratio}`)
    return `${records} ${keyed}`
  })
}

t.test('the cost of every store is told, without and with a key, and the figures are kept', needsServers(), async t => {
  const run = startBench(t, 'main.ts', ['--quick', '--only', 'stores', '--rounds', '1', '--window-ms', '100'])

  const { code, stdout, stderr, left, results } = await run.finished

  t.equal(code, 0, stderr)
  t.strictSame(
    rowsOf(t, stdout),
    ['memory', 'file', 'redis', 'postgres'].flatMap(store => [`${store} no`, `${store} yes`])
  )
  t.strictSame(results, ['latest.json', 'latest.md'])
  t.strictSame(left, [], 'and nothing else is left behind')
})

t.test('the path of a reply is counted in every store, and a replay is shorter', needsServers(), async t => {
  const { code, stdout, stderr, left } = await startBench(t, 'main.ts', ['--only', 'path']).finished

  t.equal(code, 0, stderr)
  const counted = Array.from(
    stdout.matchAll(/^\| (\w+) \| (a reply|its replay) \| (\d+) \| (\d+) \| (\d+) \|$/gm),
    row => ({
      what: `${row[1]}, ${row[2]}`,
      functions: Number(row[4])
    })
  )
  t.strictSame(
    counted.map(({ what }) => what),
    ['memory', 'file', 'redis', 'postgres'].flatMap(store => [`${store}, a reply`, `${store}, its replay`])
  )
  for (const [index, { what, functions }] of counted.entries()) {
    t.ok(functions > 50, `${what}: ${functions}`)
    if (index % 2 === 1) t.ok(functions < (counted[index - 1]?.functions ?? 0), what)
  }
  t.strictSame(left, [])
})

t.test('the cost of metrics is told beside that of the library, and that of a scrape', async t => {
  const run = startBench(t, 'main.ts', ['--quick', '--only', 'metrics', '--rounds', '1', '--window-ms', '100'])

  const { code, stdout, stderr, left } = await run.finished

  t.equal(code, 0, stderr)
  const rows = Array.from(
    stdout.matchAll(/^\| (a reply|a scrape|memory)[^|]*\| ([\d.,]+) \|/gm),
    ([, what, cost = '']) => {
      t.ok(Number(cost.replaceAll(',', '')) > 0, `${what}: ${cost}`)
      return what
    }
  )
  t.strictSame(rows, ['a reply', 'a reply', 'a scrape', 'a scrape', 'memory'])
  t.strictSame(left, [])
})

t.test('the service stands beside the pass-through at each number of connections, awake and asleep', async t => {
  const args = ['--quick', '--only', 'connections', '--connections', '2,4', '--rounds', '1', '--window-ms', '100']
  const { code, stdout, stderr, left } = await startBench(t, 'main.ts', args).finished

  t.equal(code, 0, stderr)
  const rows = Array.from(stdout.matchAll(/^\| (\d+\.\d\d \| .*) \|$/gm), ([, row = '']) => row.split(' | '))
  t.strictSame(
    rows.map(([, , connections, callers, program]) => [connections, callers, program].join(' ')),
    [
      '2 awake **this service**',
      '4 awake **this service**',
      '2 awake without limits and audit',
      '4 awake without limits and audit',
      '2 asleep **this service**',
      '4 asleep **this service**',
      '2 asleep without limits and audit',
      '4 asleep without limits and audit'
    ]
  )
  for (const [ratio, spread, , , , cost, p50, p99, timesP99, resident, timesResident] of rows) {
    t.match(spread, /^\d+\.\d\d–\d+\.\d\d$/)
    const figures = [ratio, cost, p50, p99, timesP99, resident, timesResident]
    for (const figure of figures) t.ok(Number(figure?.replaceAll(',', '')) > 0, figures.join(' '))
  }
  t.strictSame(left, [])
})

t.test('what a reply makes is counted beside the pass-through, and is more', async t => {
  const args = ['--quick', '--only', 'work', '--window-ms', '200']
  const { code, stdout, stderr, left } = await startBench(t, 'main.ts', args).finished

  t.equal(code, 0, stderr)
  for (const what of [
    'KiB taken from the heap',
    'KiB held while it waits',
    'promises and awaits',
    'looks at the clock'
  ]) {
    const [bare = '', ...services] =
      stdout.match(new RegExp(`^\\| ${what} \\| (.*) \\|$`, 'm'))?.[1]?.split(' | ') ?? []
    t.ok(Number(bare) >= 0 && services.every(made => Number(made) > Number(bare)), `${what}: ${bare} ${services}`)
  }
  t.match(stdout, /^\| – undici \| \d+\.\d \|/m)
  t.strictSame(left, [])
})

t.test('a profile says where the time goes, and leaves it for a browser', async t => {
  const args = ['--cpu-prof', '--connections', '4', '--window-ms', '300']
  const { code, stdout, stderr, results, read } = await startBench(t, 'main.ts', args).finished

  t.equal(code, 0, stderr)
  t.match(stdout, /^\| all \| [\d.,]+ \| [\d.,]+ \|$/m)
  t.match(stdout, /^\| src\/\w+ \| 0.00 \| [\d.]+ \|$/m)
  t.match(results, ['latest.json', 'latest.md', 'pass-through-4.cpuprofile', 'service-4.cpuprofile'])
  t.ok(JSON.parse(read('service-4.cpuprofile')).nodes.length > 100)
})

t.test('Ctrl-C ends it and everything that it started', async t => {
  const { child, finished } = startBench(t, 'main.ts', ['--only', 'growth'])
  await once(child.stderr, 'data')
  child.kill('SIGINT')

  const { code, left } = await finished

  t.strictSame({ code, left }, { code: 130, left: [] })
})

t.test('--help shows every flag and starts nothing', async t => {
  const { code, stdout, stderr } = await startBench(t, 'main.ts', ['--help']).finished

  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  for (const flag of [
    '--quick',
    '--only',
    '--rounds',
    '--window-ms',
    '--cpu-prof',
    '--connections',
    '--results',
    '--help'
  ]) {
    t.match(stdout, `  ${flag} `)
  }
})

for (const args of [['--rounds', '0'], ['--only', 'nothing'], ['--round']]) {
  t.test(`${args.join(' ')} is refused with status 64`, async t => {
    const { code, stdout, stderr } = await startBench(t, 'main.ts', args).finished

    t.strictSame({ code, stdout }, { code: 64, stdout: '' })
    t.match(stderr, 'Usage: npm run bench')
  })
}
