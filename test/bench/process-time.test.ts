import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { cpuMicroseconds } from '../../bench/process-time.ts'
import { cpuSeconds } from '../cpu-seconds.ts'

t.test('a child that ends while it is looked at is no error', async t => {
  const child = spawn('sh', ['-c', 'while :; do /bin/true; done'])
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  const { pid = 0 } = child

  for (let look = 0; look < 1000; look++) cpuMicroseconds(pid)

  t.ok(cpuMicroseconds(pid) > 0)
})

t.test('neither is a thread, and what the others and the children used counts in each look', async t => {
  const busy = spawn('sh', ['-c', 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo; read end'])
  t.teardown(() => busy.kill('SIGKILL'))
  await once(busy.stdout, 'data')
  const used = cpuMicroseconds(busy.pid ?? 0)
  let [least, leastMicroseconds] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]

  for (let round = 0; round < 4; round++) {
    const workers = Array.from({ length: 4 }, () => new Worker('', { eval: true }))
    let running = workers.length
    for (const worker of workers) worker.once('exit', () => running--)
    while (running > 0) {
      leastMicroseconds = Math.min(leastMicroseconds, cpuMicroseconds(process.pid))
      const { user, system } = process.cpuUsage()
      least = Math.min(least, cpuSeconds() - (user + system) / 1e6)
      await new Promise(setImmediate)
    }
  }

  t.ok(leastMicroseconds > used)
  t.ok(least > used / 1e6 / 2, `${least} s beside its own`)
})

t.test('a process that is gone is one', async t => {
  const child = spawn('true')
  await once(child, 'exit')
  t.throws(() => cpuMicroseconds(child.pid ?? 0), { code: 'ENOENT' })
})
