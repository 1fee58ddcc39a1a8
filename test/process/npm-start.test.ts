// `npm start` under a supervisor, which signals npm alone and not the group of processes, as a terminal does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { baseEnv } from '../helpers/service-process.ts'
import { startEmulator } from '../helpers/thread.ts'

/** For a start, a drain of nothing, and a busy machine. */
const PATIENCE_MS = 15_000
const ROOT = new URL('../../', import.meta.url)

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} to npm start reaches the service, which drains and ends`, async t => {
    const { env } = await startEmulator(t)
    const npm = spawn('npm', ['start', '--silent'], {
      cwd: ROOT,
      env: { ...baseEnv(), ...env } as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true
    })
    const { pid = 0 } = npm
    // With what npm had started, and would leave behind.
    const patience = setTimeout(() => process.kill(-pid, 'SIGKILL'), PATIENCE_MS)
    t.teardown(() => clearTimeout(patience))
    const ended = once(npm, 'exit')
    const said: unknown[] = []
    for await (const line of createInterface({ input: npm.stdout })) {
      said.push(JSON.parse(line).msg)
      if (said.at(-1) === 'listening') npm.kill(signal)
    }
    await ended

    t.match(said.slice(-3), ['listening', 'draining', 'stopped'])
  })
}
