import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { isRunning } from '../helpers/processes.ts'
import { demoEnv, MAIN, startDemo, startServing } from './demo-process.ts'

// Each test starts the whole demo, which takes a busy machine a while.
t.setTimeout(240_000)

for (const [title, signals] of [
  ['Ctrl-C', ['SIGINT']],
  // npm passes on what the terminal has sent already.
  ['Ctrl-C under npm', ['SIGINT', 'SIGINT']],
  ['SIGTERM', ['SIGTERM']],
  ['a terminal that closes', ['SIGHUP']]
] as const) {
  t.test(`${title} ends all parts quietly with status 0 and frees their ports`, async t => {
    const demo = await startServing(t)
    const pids = demo.childPids()
    const urls = demo.said.stdout.match(/http:\/\/[\d.:]+/g) ?? []

    for (const signal of signals) demo.child.kill(signal)

    t.equal(await demo.ended, 0)
    t.equal(demo.said.stderr, '')
    t.equal(pids.length, 1)
    t.notOk(pids.some(isRunning))
    t.equal(urls.length, 5)
    for (const url of urls) await t.rejects(fetch(url), { cause: { code: 'ECONNREFUSED' } })
  })
}

t.test('Ctrl-C while the service starts ends the demo with status 0 and leaves no process and no file', async t => {
  const folder = t.testdir()
  const demo = startDemo(t, ['--port', '0'], { TMPDIR: folder })
  const pids = await demo.hasChildren()

  demo.child.kill('SIGINT')

  t.equal(await demo.ended, 0)
  t.equal(demo.said.stderr, '')
  t.notOk(pids.some(isRunning))
  t.strictSame(
    readdirSync(folder).filter(name => name.startsWith('thread-reply-demo-')),
    []
  )
})

t.test('Ctrl-C before the first reply makes --once fail: nothing has been shown', async t => {
  const demo = startDemo(t, ['--once', '--port', '0'])
  await demo.hasChildren()

  demo.child.kill('SIGINT')

  t.equal(await demo.ended, 1)
})

t.test('a reader who leaves while it starts ends the demo and its service', async t => {
  const demo = startDemo(t, ['--port', '0'])
  const pids = await demo.hasChildren()

  demo.child.stdout.destroy()

  t.equal(await demo.ended, 0)
  t.notOk(pids.some(isRunning))
})

t.test('`npm run demo | head -n 3` shows the address first, and ends although nothing more is written', async t => {
  const pipeline = `"$0" "$1" --port 0 | head -n 3; echo "status ${'$'}{PIPESTATUS[0]}"`

  const { stdout } = await promisify(execFile)('bash', ['-c', pipeline, process.execPath, MAIN], { env: demoEnv() })

  t.match(stdout, /^Open http:\/\/127\.0\.0\.1:\d+\/\n {2}the service .*\n {2}sign-in .*\nstatus 0\n$/)
})

t.test('a service that dies ends the demo with status 1', async t => {
  const demo = await startServing(t)

  for (const pid of demo.childPids()) process.kill(pid, 'SIGKILL')

  t.equal(await demo.ended, 1)
  t.match(demo.said.stderr, 'The service ended by itself')
})
