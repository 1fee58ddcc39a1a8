import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'
import { baseEnv, type ServiceEnv } from './service-process.ts'
import { until } from './until.ts'

export const LAUNCHER = fileURLToPath(new URL('../../bin/thread-reply-bff', import.meta.url))
/** A process whose end is held up by something does not end at all. */
const ENDS_WITHIN_MS = 30_000

export interface UnreadService {
  readonly child: ChildProcess
  readonly url: string
  readonly adminUrl: string
}

export interface UnreadOptions {
  readonly stdout?: number | 'pipe'
  readonly env: ServiceEnv
  /** Commands that run the launcher, such as `prlimit`. */
  readonly before?: readonly string[]
}

/** A service on ports that are known beforehand, as nothing reads from its log where it listens. */
export async function startUnread(
  t: Pick<Test, 'teardown'>,
  { stdout = 'pipe', env, before = [] }: UnreadOptions
): Promise<UnreadService> {
  const [port, adminPort] = [await freePort(), await freePort()]
  const [command = '', ...args] = [...before, LAUNCHER]
  const child = spawn(command, args, {
    env: { ...baseEnv(), PORT: `${port}`, ADMIN_PORT: `${adminPort}`, ...env } as NodeJS.ProcessEnv,
    stdio: ['ignore', stdout, 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const service = { child, url: `http://127.0.0.1:${port}`, adminUrl: `http://127.0.0.1:${adminPort}` }
  await until(
    () => probe(service, 'readyz').catch(() => 0),
    status => status === 200
  )
  return service
}

/** The status of `livez` or `readyz`. */
export async function probe({ adminUrl }: UnreadService, name: 'livez' | 'readyz'): Promise<number> {
  const { status } = await fetch(`${adminUrl}/${name}`)
  return status
}

/** The exit code, or the signal that ended the process. */
export async function endOf(child: ChildProcess): Promise<unknown> {
  const [code, signal] = await once(child, 'exit', { signal: AbortSignal.timeout(ENDS_WITHIN_MS) })
  return code ?? signal
}
