import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { needsRedis } from '../helpers/redis-server.ts'

const BENCH = new URL('../../bench/delivery-cost.ts', import.meta.url).pathname
const TINY = ['--requests', '200', '--rounds', '1']

/** Starts the bench with a temporary directory of its own, which says what it leaves behind. */
function startBench(t: Test, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const directory = t.testdir()
  const child = spawn(process.execPath, [BENCH, ...args], {
    env: { PATH: process.env['PATH'], TMPDIR: directory, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  const finished = ended.then(([[code], stdout, stderr]) => ({ code, stdout, stderr, left: readdirSync(directory) }))
  return { child, finished }
}

/** What a row says in words; its figures must be numbers. */
function rowsOf(t: Test, table: string): string[] {
  const rows = table.matchAll(/^\| ([a-z ]+) \| (no|yes) \| (\d+) \| (\d+)–(\d+) \| (\d+\.\d\d) \|$/gm)
  return Array.from(rows, ([, records = '', keyed = '', ...figures]) => {
    t.ok(
      figures.map(Number).every(figure => figure > 0),
      `${records}, ${keyed}: ${figures.join(' ')}`
    )
    return `${records} ${keyed}`
  })
}

t.test('the cost of every store is told, without and with a key', needsRedis(), async t => {
  const { code, stdout, stderr, left } = await startBench(t, TINY).finished

  t.equal(code, 0, stderr)
  t.strictSame(rowsOf(t, stdout), [
    'no records no',
    'no records yes',
    'memory no',
    'memory yes',
    'file no',
    'file yes',
    'redis no',
    'redis yes'
  ])
  t.match(stdout, 'each of 3200 was 201 and posted once.')
  t.strictSame(left, [], 'nothing is left behind')
})

t.test('without redis-server it says so, and Ctrl-C ends it and everything that it started', async t => {
  const { child, finished } = startBench(t, ['--requests', '1000000'], { PATH: '/none' })
  await once(child.stderr, 'data')
  child.kill('SIGINT')

  const { code, stdout, left } = await finished

  t.strictSame({ code, left }, { code: 130, left: [] })
  t.match(stdout, /^Without Redis: redis-server is not installed [^\n]+\.\n\n$/)
})

t.test('--help shows every flag and starts nothing', async t => {
  const { code, stdout, stderr } = await startBench(t, ['--help']).finished

  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  for (const flag of ['--requests', '--rounds', '--help']) t.match(stdout, `  ${flag} `)
})

for (const args of [['--requests', '0'], ['--round']]) {
  t.test(`${args.join(' ')} is refused with status 64`, async t => {
    const { code, stdout, stderr } = await startBench(t, args).finished

    t.strictSame({ code, stdout }, { code: 64, stdout: '' })
    t.match(stderr, 'Usage: node bench/delivery-cost.ts')
  })
}
