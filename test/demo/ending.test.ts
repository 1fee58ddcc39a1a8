import t from 'tap'
import { isAlive, startDemo, startServing } from './demo-process.ts'

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
    const urls = demo.said.stdout.split('1. What')[0]?.match(/http:\/\/[\d.:]+/g) ?? []

    for (const signal of signals) demo.child.kill(signal)

    t.equal(await demo.ended, 0)
    t.equal(demo.said.stderr, '')
    t.equal(pids.length, 1)
    t.notOk(pids.some(isAlive))
    t.equal(urls.length, 4)
    for (const url of urls) await t.rejects(fetch(url), { cause: { code: 'ECONNREFUSED' } })
  })
}

t.test('Ctrl-C while the service starts ends the demo with status 0 and leaves no process', async t => {
  const demo = startDemo(t, ['--port', '0'])
  const pids = await demo.hasChildren()

  demo.child.kill('SIGINT')

  t.equal(await demo.ended, 0)
  t.equal(demo.said.stderr, '')
  t.notOk(pids.some(isAlive))
})

t.test('Ctrl-C before the first reply makes --once fail: nothing has been shown', async t => {
  const demo = startDemo(t, ['--once', '--port', '0'])
  await demo.hasChildren()

  demo.child.kill('SIGINT')

  t.equal(await demo.ended, 1)
})

t.test('a reader who leaves ends the demo and its service', async t => {
  const demo = startDemo(t, ['--port', '0'])
  const pids = await demo.hasChildren()

  demo.child.stdout.destroy()

  t.equal(await demo.ended, 0)
  t.notOk(pids.some(isAlive))
})

t.test('a service that dies ends the demo with status 1', async t => {
  const demo = await startServing(t)

  for (const pid of demo.childPids()) process.kill(pid, 'SIGKILL')

  t.equal(await demo.ended, 1)
  t.match(demo.said.stderr, 'The service ended by itself')
})
