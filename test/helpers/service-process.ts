import { type ChildProcess, spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { CanaryWatch, withCanaries } from './canaries.ts'
import { isExplained } from './reasons.ts'
import { AUDIENCE, ISSUER, SHARED_SECRET } from './tokens.ts'
import { until } from './until.ts'

export interface LogLine {
  readonly [field: string]: unknown
}

export interface ServiceProcess {
  readonly url: string
  readonly adminUrl: string
  readonly process: ChildProcess
  /** Every line of standard output, as text. */
  readonly output: string[]
  /** Everything on standard error. */
  readonly errors: string[]
  logLines(): LogLine[]
  /** Resolves with the first log line that fits, also one that comes later; rejects after the given time. */
  lineWhere(fits: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>
  /** Sends a signal and resolves with the exit code once the process is gone. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** What every started service needs; a test adds to it or overrides it. Undefined takes a variable away. */
export type ServiceEnv = Record<string, string | undefined>

const LAUNCHER = fileURLToPath(new URL('../../bin/thread-reply-bff', import.meta.url))

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
function coverageEnv(): ServiceEnv {
  const directory = process.env['NODE_V8_COVERAGE']
  return directory === undefined ? {} : { NODE_V8_COVERAGE: directory, NODE_DISABLE_COMPILE_CACHE: '1' }
}

/** `listening` is for a service that is not meant to become ready, as without its store. */
export type StartedWhen = 'ready' | 'listening'

const STARTS_WITHIN_MS = 60_000
const LINE_WITHIN_MS = 30_000

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
  { mayStopSecrets = false }: StartOptions = {}
): Promise<ServiceProcess> {
  const spawned = spawnService(withCanaries({ ...baseEnv(), ...env }), [])
  // A process that is killed cannot say what it has executed.
  t.teardown(async () => {
    await spawned.stop(process.env['NODE_V8_COVERAGE'] === undefined ? 'SIGKILL' : 'SIGTERM')
    const unexplained = spawned.logLines().find(line => !isExplained(line))
    if (unexplained) throw new Error(`a refusal without a reason that is explained: ${JSON.stringify(unexplained)}`)
    const leaks = spawned.canaries.end(mayStopSecrets ? [] : spawned.logLines())
    if (leaks.length > 0) throw new Error(`a secret left the service: ${leaks.join('; ')}`)
  })
  const line = await spawned.lineWhere(({ msg }) => msg === 'listening', STARTS_WITHIN_MS)
  const service = Object.assign(spawned, { url: String(line['url']), adminUrl: String(line['adminUrl']) })
  spawned.canaries.listensAt([service.url, service.adminUrl])
  if (waitFor === 'ready')
    await until(
      () => readiness(service),
      ([status]) => status === 200,
      STARTS_WITHIN_MS
    )
  return service
}

/** The status of `/readyz`, and why it is not 200. */
export async function readiness({ adminUrl }: ServiceProcess): Promise<readonly [number, readonly string[]]> {
  const response = await fetch(`${adminUrl}/readyz?verbose`)
  const { reasons } = (await response.json()) as { reasons: string[] }
  return [response.status, reasons]
}

/** Runs the service until it ends by itself: for configurations it refuses. */
export async function runService(env: ServiceEnv, args: string[] = []) {
  const service = spawnService({ ...baseEnv(), ...env }, args)
  const exitCode = await service.exited
  const leaks = service.canaries.end(service.logLines())
  if (leaks.length > 0) throw new Error(`a secret left the service: ${leaks.join('; ')}`)
  return { exitCode, output: service.output.join('\n'), errors: service.errors.join('') }
}

function spawnService(env: ServiceEnv, args: string[]) {
  const child = spawn(LAUNCHER, args, {
    env: env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const canaries = new CanaryWatch(env)
  child.stdout.on('data', canaries.stream('standard output'))
  child.stderr.on('data', canaries.stream('standard error'))
  const output: string[] = []
  const parsed: LogLine[] = []
  const errors: string[] = []
  const waiting = new Set<(lines: readonly LogLine[]) => void>()
  createInterface({ input: child.stdout }).on('line', text => {
    output.push(text)
    const lines = parseLine(text)
    parsed.push(...lines)
    for (const look of waiting) look(lines)
  })
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  // 'close', not 'exit': by then every line has been read.
  const exited = new Promise<number | null>(resolve => child.once('close', resolve))

  return {
    url: '',
    adminUrl: '',
    process: child,
    output,
    errors,
    exited,
    canaries,
    logLines: () => [...parsed],
    lineWhere: (fits: (line: LogLine) => boolean, timeoutMs = LINE_WITHIN_MS) =>
      new Promise<LogLine>((resolve, reject) => {
        const timer = setTimeout(() => fail('no such line in time'), timeoutMs)
        const look = (lines: readonly LogLine[]): void => {
          const line = lines.find(fits)
          if (!line) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(line)
        }
        const fail = (reason: string): void => {
          clearTimeout(timer)
          waiting.delete(look)
          reject(new Error(`${reason}; output: ${output.join('\n')} ${errors.join('')}`))
        }
        waiting.add(look)
        void exited.then(code => fail(`the service ended with ${code}`))
        look(parsed)
      }),
    async stop(signal: NodeJS.Signals = 'SIGTERM') {
      child.kill(signal)
      return exited
    }
  }
}

function parseLine(text: string): LogLine[] {
  try {
    return [JSON.parse(text) as LogLine]
  } catch {
    return []
  }
}
