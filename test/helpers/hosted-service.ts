// A service that shares a process with the others of its test file, for facts that no process is needed for: replies,
// answers, the log, probes. It costs a tenth of a start. What is of a process has one of its own: signals, workers,
// memory, Node's own variables, being killed (`startService`).
import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Test } from 'tap'
import { CanaryWatch, withCanaries } from './canaries.ts'
import type { HostOrder, HostReport } from './host-messages.ts'
import { ServiceLines } from './service-lines.ts'
import {
  baseEnv,
  checkWhatItWrote,
  coverageEnv,
  LAUNCHER,
  type RunningService,
  type ServiceEnv,
  type StartedWhen,
  type StartOptions,
  untilStarted
} from './service-process.ts'

/** What the process that hosts a service cannot have for it alone. */
const OF_A_PROCESS = /^(?:NODE_|LD_|MALLOC_|UV_|SSL_|TZ$|WEB_CONCURRENCY$)/
const HOST = new URL('../host/main.ts', import.meta.url).href

let host: ServiceHost | undefined

/** Starts the service beside the others of this process, on free ports, and ends it with the test, as `startService` does. */
export async function hostService(
  t: Pick<Test, 'teardown'>,
  env: ServiceEnv,
  waitFor: StartedWhen = 'ready',
  options: StartOptions = {}
): Promise<RunningService> {
  const foreign = Object.keys(env).filter(name => env[name] !== undefined && OF_A_PROCESS.test(name))
  if (foreign.length > 0) throw new Error(`${foreign.join(', ')}: only for a process of its own, see startService`)
  const whole = withCanaries({ ...baseEnv(), ...env })
  const lines = new ServiceLines()
  const canaries = new CanaryWatch(whole)
  if (!host || host.hasEnded) host = new ServiceHost()
  const { end, hasEnded } = host.start(whole, lines, canaries)
  t.teardown(async () => {
    await end()
    checkWhatItWrote(lines, canaries, options)
  })
  return untilStarted(lines, canaries, waitFor, hasEnded)
}

interface Hosted {
  readonly lines: ServiceLines
  readonly searchOutput: (piece: Buffer) => void
  readonly searchErrors: (piece: Buffer) => void
  readonly onEnd: () => void
}

/** The process, and what each of its services says. */
class ServiceHost {
  readonly #child: ChildProcess
  readonly #services = new Map<number, Hosted>()
  #lastId = 0
  hasEnded = false

  constructor() {
    this.#child = spawn(LAUNCHER, {
      env: { PATH: baseEnv()['PATH'], ...coverageEnv(), NODE_OPTIONS: `--import=${HOST}` },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc']
    })
    this.#child.stderr?.on('data', (piece: Buffer) => {
      for (const { lines, searchErrors } of this.#services.values()) {
        searchErrors(piece)
        lines.errors.push(piece.toString())
      }
    })
    this.#child.on('message', (report: HostReport) => this.#hear(report))
    this.#child.once('close', code => {
      this.hasEnded = true
      for (const id of this.#services.keys()) this.#end(id, `its process ended with ${code}`)
    })
  }

  start(env: ServiceEnv, lines: ServiceLines, canaries: CanaryWatch) {
    const id = ++this.#lastId
    const ended = Promise.withResolvers<void>()
    this.#services.set(id, {
      lines,
      searchOutput: canaries.stream('standard output'),
      searchErrors: canaries.stream('standard error'),
      onEnd: ended.resolve
    })
    this.#hold()
    this.#order({ order: 'start', id, env: definedIn(env) })
    return {
      hasEnded: () => !this.#services.has(id),
      end: async () => {
        if (this.#services.has(id)) this.#order({ order: 'end', id })
        else ended.resolve()
        await ended.promise
      }
    }
  }

  #order(order: HostOrder): void {
    this.#child.send(order, () => undefined)
  }

  #hear(report: HostReport): void {
    if (report.report === 'ended') this.#end(report.id, report.reason)
    else {
      const hosted = this.#services.get(report.id)
      hosted?.searchOutput(Buffer.from(report.line))
      hosted?.lines.add(report.line.trimEnd())
    }
  }

  #end(id: number, reason: string): void {
    const hosted = this.#services.get(id)
    this.#services.delete(id)
    hosted?.lines.end(`the service ended: ${reason}`)
    hosted?.onEnd()
    this.#hold()
  }

  /** The process ends with that of the test, which waits for it only while there are services in it. */
  #hold(): void {
    const what = this.#services.size > 0 ? 'ref' : 'unref'
    this.#child[what]()
    this.#child.channel?.[what]()
    const { stderr } = this.#child
    if (stderr instanceof Socket) stderr[what]()
  }
}

function definedIn(env: ServiceEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
}
