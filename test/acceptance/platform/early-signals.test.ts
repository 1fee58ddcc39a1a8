// Signals end the service from the beginning, also where it is the first process of a container: the system applies no
// default to that one, so what it does not ask for never reaches it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { childrenOf } from '../../helpers/processes.ts'
import { baseEnv, type ServiceEnv } from '../../helpers/service-process.ts'
import { startEmulator } from '../../helpers/thread.ts'
import { LAUNCHER } from '../../helpers/unread-service.ts'
import { until } from '../../helpers/until.ts'

const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child']
/** More than any end before the first call; less than it takes to notice that nothing ends. */
const ENDS_WITHIN_MS = 25_000
const SIGTERM_EXIT = 128 + 15

t.setTimeout(240_000)
t.jobs = 2
const isRoot = process.getuid?.() === 0
const { env } = await startEmulator(t)

/** As the first process of a container, and its id outside of it. */
async function startFirst(t: Test, change: ServiceEnv, args: readonly string[] = []) {
  const [command = '', ...before] = UNSHARE
  const child = spawn(command, [...before, LAUNCHER, ...args], {
    env: { ...baseEnv(), ...env, DRAIN_DELAY_MS: undefined, ...change } as NodeJS.ProcessEnv,
    stdio: ['pipe', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const first = await until(() => childrenOf(child.pid)[0] ?? 0)
  return { child, first, output: text(child.stdout) }
}

const cases: [title: string, env: (t: Test) => ServiceEnv][] = [
  ['with records in memory', () => ({})],
  ['while Redis is away', () => ({ STORE_URL: 'redis://127.0.0.1:1', STORE_SECRET: 'x'.repeat(32) })],
  [
    'with workers',
    t => ({
      STORE_URL: `file:${join(t.testdir({}), 'replies.db')}`,
      STORE_SECRET: 'x'.repeat(32),
      WEB_CONCURRENCY: '2'
    })
  ]
]

for (const [title, envFor] of cases) {
  for (const afterMs of [200, 400, 600, 1200]) {
    t.test(`SIGTERM ${afterMs} ms after the start ends it, ${title}`, { skip: !isRoot && 'needs unshare' }, async t => {
      const { child, first } = await startFirst(t, envFor(t))
      await sleep(afterMs)
      process.kill(first, 'SIGTERM')
      const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(ENDS_WITHIN_MS) })

      t.ok(code === 0 || code === SIGTERM_EXIT, `${code}`)
    })
  }
}

t.test('a service that has started drains and stops', { skip: !isRoot && 'needs unshare' }, async t => {
  const { child, first, output } = await startFirst(t, { DRAIN_DELAY_MS: '0' })
  let said = ''
  child.stdout?.on('data', chunk => {
    said += chunk
  })
  await until(() => said.includes('"listening"'))
  process.kill(first, 'SIGTERM')
  const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(ENDS_WITHIN_MS) })

  t.equal(code, 0)
  t.match(await output, /"signal":"SIGTERM".*"draining"[\s\S]*"stopped"/)
})

t.test(
  'its exit code and its standard input are those of the service',
  { skip: !isRoot && 'needs unshare' },
  async t => {
    const { child, output } = await startFirst(t, {}, ['--explain-token'])
    child.stdin?.end('not-a-token')
    const [code] = await once(child, 'exit')

    t.equal(code, 1)
    t.match(await output, /refused|rejected|not accepted/)
  }
)

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} during the start ends a service that is any other process`, async t => {
    const child = spawn(LAUNCHER, {
      env: { ...baseEnv(), ...env, ...cases[1]?.[1](t) } as NodeJS.ProcessEnv,
      stdio: 'ignore'
    })
    t.teardown(() => child.kill('SIGKILL'))
    await sleep(400)
    child.kill(signal)
    const [code, by] = await once(child, 'exit', { signal: AbortSignal.timeout(ENDS_WITHIN_MS) })

    t.ok(code === 0 || by === signal, `${code ?? by}`)
  })
}
