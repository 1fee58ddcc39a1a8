import { type ChildProcess, spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { CanaryWatch, withCanaries } from './canaries.ts'
import { isExplained } from './reasons.ts'
import { ServiceLines } from './service-lines.ts'
import { AUDIENCE, ISSUER, SHARED_SECRET } from './tokens.ts'
import { until } from './until.ts'

/** A service that has started. */
export interface RunningService extends Pick<ServiceLines, 'output' | 'errors' | 'logLines' | 'lineWhere'> {
  readonly url: string
  readonly adminUrl: string
  hasEnded(): boolean
}

/** Starts it for a test; `startService` or `hostService`. */
export type StartService<S extends RunningService> = (
  t: Pick<Test, 'teardown'>,
  env: ServiceEnv,
  waitFor?: StartedWhen,
  options?: StartOptions
) => Promise<S>

export interface ServiceProcess extends RunningService {
  readonly process: ChildProcess
  /** Sends a signal and resolves with the exit code once the process is gone. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** What every started service needs; a test adds to it or overrides it. Undefined takes a variable away. */
export type ServiceEnv = Record<string, string | undefined>

export const LAUNCHER = fileURLToPath(new URL('../../bin/thread-reply-bff', import.meta.url))

/** What `/readyz?verbose` says of records in memory, which most tests have. */
export const IN_MEMORY = 'STORE_URL is memory: records do not survive this process'

export function baseEnv(): ServiceEnv {
  return {
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
    ...coverageEnv(),
    STORE_URL: 'memory:',
    PORT: '0',
    ADMIN_PORT: '0',
    AUTH_JWT_ISSUER: ISSUER,
    AUTH_JWT_AUDIENCE: AUDIENCE,
    AUTH_JWT_SECRET: SHARED_SECRET,
    DRAIN_DELAY_MS: '0',
    SETTLE_MS: '0',
    // A test may send more in a minute than a user may; `acceptance/limits/` switches it on.
    LIMIT_MODE: 'off'
  }
}

/** Where V8 counts what is executed: code that comes out of a cache would be counted less exactly. */
export function coverageEnv(): ServiceEnv {
  const directory = process.env['NODE_V8_COVERAGE']
  return directory === undefined ? {} : { NODE_V8_COVERAGE: directory, NODE_DISABLE_COMPILE_CACHE: '1' }
}

/** `listening` is for a service that is not meant to become ready, as without its store. */
export type StartedWhen = 'ready' | 'listening'

const STARTS_WITHIN_MS = 60_000

/** For a test whose callers know a secret and write it where the service must cut it out. */
export interface StartOptions {
  readonly mayStopSecrets?: boolean
}

/**
 * Starts the service as a process of its own, on free ports, and stops it when the test ends. The test fails where a
 * secret of the service was in anything that it wrote, or had to be cut out of it.
 */
export async function startService(
  t: Pick<Test, 'teardown'>,
  env: ServiceEnv,
  waitFor: StartedWhen = 'ready',
  options: StartOptions = {}
): Promise<ServiceProcess> {
  const { lines, canaries, process: child, stop } = spawnService(withCanaries({ ...baseEnv(), ...env }), [])
  // A process that is killed cannot say what it has executed.
  t.teardown(async () => {
    await stop(process.env['NODE_V8_COVERAGE'] === undefined ? 'SIGKILL' : 'SIGTERM')
    checkWhatItWrote(lines, canaries, options)
  })
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  const running = await untilStarted(lines, canaries, waitFor, hasEnded)
  return { ...running, process: child, stop }
}

/** Waits until it says so, and where it answers. */
export async function untilStarted(
  lines: ServiceLines,
  canaries: CanaryWatch,
  waitFor: StartedWhen,
  hasEnded: () => boolean
): Promise<RunningService> {
  const line = await lines.lineWhere(({ msg }) => msg === 'listening', STARTS_WITHIN_MS)
  const service = {
    url: String(line['url']),
    adminUrl: String(line['adminUrl']),
    output: lines.output,
    errors: lines.errors,
    logLines: () => lines.logLines(),
    lineWhere: (...args: Parameters<ServiceLines['lineWhere']>) => lines.lineWhere(...args),
    hasEnded
  }
  canaries.listensAt([service.url, service.adminUrl])
  if (waitFor === 'ready')
    await until(
      () => readiness(service),
      ([status]) => status === 200,
      STARTS_WITHIN_MS
    )
  return service
}

/** Throws where a service has said something that it must not, or refused for a reason that is not explained. */
export function checkWhatItWrote(
  lines: ServiceLines,
  canaries: CanaryWatch,
  { mayStopSecrets = false }: StartOptions = {}
): void {
  const unexplained = lines.logLines().find(line => !isExplained(line))
  if (unexplained) throw new Error(`a refusal without a reason that is explained: ${JSON.stringify(unexplained)}`)
  const leaks = canaries.end(mayStopSecrets ? [] : lines.logLines())
  if (leaks.length > 0) throw new Error(`a secret left the service: ${leaks.join('; ')}`)
}

/** The status of `/readyz`, and why it is not 200. */
export async function readiness({
  adminUrl
}: Pick<RunningService, 'adminUrl'>): Promise<readonly [number, readonly string[]]> {
  const response = await fetch(`${adminUrl}/readyz?verbose`)
  const { reasons } = (await response.json()) as { reasons: string[] }
  return [response.status, reasons]
}

/** Runs the service until it ends by itself: for configurations it refuses. */
export async function runService(env: ServiceEnv, args: string[] = []) {
  const { lines, canaries, exited } = spawnService({ ...baseEnv(), ...env }, args)
  const exitCode = await exited
  checkWhatItWrote(lines, canaries)
  return { exitCode, output: lines.output.join('\n'), errors: lines.errors.join('') }
}

function spawnService(env: ServiceEnv, args: string[]) {
  const child = spawn(LAUNCHER, args, {
    env: env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const canaries = new CanaryWatch(env)
  child.stdout.on('data', canaries.stream('standard output'))
  child.stderr.on('data', canaries.stream('standard error'))
  const lines = new ServiceLines()
  createInterface({ input: child.stdout }).on('line', text => lines.add(text))
  child.stderr.on('data', (chunk: Buffer) => lines.errors.push(chunk.toString()))
  // 'close', not 'exit': by then every line has been read.
  const exited = new Promise<number | null>(resolve => child.once('close', resolve))
  void exited.then(code => lines.end(`the service ended with ${code}`))
  return {
    lines,
    canaries,
    process: child,
    exited,
    async stop(signal: NodeJS.Signals = 'SIGTERM') {
      child.kill(signal)
      return exited
    }
  }
}
