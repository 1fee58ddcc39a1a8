import { createInterface } from 'node:readline'
import t from 'tap'
import { partsOf, residentSlope, type Stretch, slopeOf } from '../../bench/soak/figures.ts'
import { quantileOf, since } from '../../bench/soak/histogram.ts'
import { findingsOf } from '../../bench/soak/report.ts'
import { needsPostgres } from '../helpers/postgres-server.ts'
import { startBench } from './bench-process.ts'

t.setTimeout(120_000)
// Two soaks beside each other: each is a start, and seconds of waits.
t.jobs = 2

t.test(
  'a short soak over a Postgres tells its quarters, and all that was sent was told as sent',
  needsPostgres(),
  async t => {
    const args = ['--store', 'postgres', '--minutes', '0.05', '--per-second', '100']
    const { code, stdout, stderr, left, results, read } = await startBench(t, 'soak/main.ts', args).finished

    t.match(stderr, /^ +\d+ s {2}[\d,]+ replies, 0 failed; p99 [\d.]+ ms, of the claim [\d.]+ ms; \d+ MiB$/m)
    t.match(stdout, /All the while a snapshot is held/)
    t.match(stdout, /^records, MiB( +[\d.]+){4}$/m)
    t.match(stdout, /^reached +0 of \d+ replies failed$/m, stderr)
    t.match(stdout, /^reached +0 posts of which nobody was told$/m)
    const { stretches } = JSON.parse(read('soak-postgres.json'))
    t.equal(stretches.length, 8)
    t.ok(stretches.every(({ claimP99Ms, residentMiB }: Stretch) => claimP99Ms > 0 && residentMiB > 20))
    t.ok(stretches.at(-1).tables[0].liveBytes > 0)
    t.strictSame({ left, results }, { left: [], results: ['soak-postgres.json', 'soak-postgres.svg'] })
    // On a busy machine a claim may become slower in three seconds.
    t.equal(code, /NOT REACHED/.test(stdout) ? 1 : 0)
  }
)

t.test('Ctrl-C ends it with what it has, and whoever met a fault was told what became of the reply', async t => {
  const args = ['--minutes', '0.1', '--per-second', '50', '--faults', '10']
  const { child, finished } = startBench(t, 'soak/main.ts', args)
  createInterface({ input: child.stderr }).once('line', () => child.kill('SIGINT'))
  const { stdout, left, read } = await finished

  t.match(stdout, /^Interrupted: /m)
  t.match(stdout, /^reached +\d+ of \d+ replies failed \(502 unknown\), with 10 % of faults at CometChat$/m)
  t.match(stdout, /^reached +0 without an answer, or by a bug$/m)
  t.match(stdout, /^reached +\d+ posts told as unknown, of \d+ that were$/m)
  t.match(read('soak-file.svg'), /^<svg .*<polyline points="[\d., ]+"/s)
  t.ok(JSON.parse(read('soak-file.json')).stretches.length < 8)
  t.strictSame(left, [])
})

t.test('what it does not know is refused with status 64', async t => {
  const wrong = [['--store', 'nowhere'], ['--minutes', 'x'], ['--per-second', '0'], ['--faults', '101'], ['--minute']]
  // Each is a process, which mostly waits for its modules.
  const runs = await Promise.all(wrong.map(args => startBench(t, 'soak/main.ts', args).finished))
  for (const [index, { code, stdout, stderr }] of runs.entries()) {
    t.strictSame({ code, stdout }, { code: 64, stdout: '' }, String(wrong[index]))
    t.match(stderr, 'Usage: npm run soak')
  }
})

t.test('a slope is that of the line nearest to all points', async t => {
  const points = [
    [0, 1],
    [1, 3],
    [2, 5],
    [3, 7]
  ] as const
  t.equal(slopeOf(points), 2)
  t.equal(slopeOf(points.map(([x]) => [x, 4])), 0)
})

t.test('parts are as long as each other, and hold all', async t => {
  t.same(partsOf([1, 2, 3, 4, 5, 6], 4), [[1], [2, 3], [4], [5, 6]])
  t.same(partsOf([1], 4), [[], [], [], [1]])
})

t.test('a quantile lies between the bounds of its bucket', async t => {
  const before = new Map([
    [0.001, 5],
    [0.0055, 5],
    [Number.POSITIVE_INFINITY, 5]
  ])
  const now = new Map([
    [0.001, 5],
    [0.0055, 105],
    [Number.POSITIVE_INFINITY, 105]
  ])
  t.equal(quantileOf(since(now, before), 0.5), 0.00325)
  t.equal(quantileOf(since(now, now), 0.5), 0, 'nothing was counted')
  t.equal(
    quantileOf(
      new Map([
        [0.001, 0],
        [Number.POSITIVE_INFINITY, 9]
      ]),
      0.99
    ),
    0.001,
    'above all bounds'
  )
})

const STRETCH: Stretch = {
  atSeconds: 0,
  replies: 50_000,
  failures: {},
  p50Ms: 2,
  p99Ms: 5,
  claimP99Ms: 3,
  cpuMicroseconds: 200,
  residentMiB: 100,
  tables: []
}

t.test('each promise of a soak is seen to be broken', async t => {
  const calm = Array.from({ length: 8 }, () => STRETCH)
  const broken = (change: Partial<Stretch>, unheardPosts = 0, faultPercent = 0): string[] => {
    const stretches = [...calm.slice(0, 6), { ...STRETCH, ...change }, { ...STRETCH, ...change }]
    return findingsOf({ stretches, unheardPosts, faultPercent })
      .filter(({ isReached }) => !isReached)
      .map(({ what }) => what)
  }
  t.same(broken({}), [])
  t.match(broken({ failures: { '503 not-sent': 2 } }), [/^4 of 400,000 replies failed \(503 not-sent\)$/])
  t.match(broken({}, 1), [/^1 posts of which nobody was told$/])
  t.match(broken({ claimP99Ms: 5 }), [/^p99 of the claim: 3.00 ms .* 5.00 ms/])
  t.match(broken({ residentMiB: 101 }), [/^resident [\d.]+ MB more/])
  t.match(broken({ tables: [{ table: 'records', bytes: 5_000_000, liveBytes: 2_000_000 }] }), [/^records take 2.50 ×/])
  t.same(broken({ tables: [{ table: 'records', bytes: 3_000_000, liveBytes: 2_000_000 }] }), [])
  const met = { failures: { '502 unknown': 5000 } }
  t.same(broken(met, 5000, 5), [])
  t.match(broken({}, 0, 5), [/^0 of 400,000 replies failed, with 5 %/], 'no fault was met')
  t.match(broken({ failures: { '502 unknown': 5000, 'no answer': 1, '500 not-sent': 1 } }, 0, 5), [
    /^4 without an answer/
  ])
  t.match(broken(met, 10_001, 5), [/^10001 posts told as unknown, of 10000/])
  t.match(broken(met, -1, 5), [/^-1 posts/], 'one was told as sent that is not there')
  const growing = calm.map((stretch, index) => ({ ...stretch, residentMiB: 100 + index }))
  t.equal(Math.round(residentSlope(growing)), 21, '1 MiB with each 50,000')
})
