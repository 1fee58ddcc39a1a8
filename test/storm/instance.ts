// One instance of the service as a process, which is killed and started again, stopped and continued.
import { type ServiceEnv, type ServiceProcess, startService } from '../helpers/service-process.ts'

export class Instance {
  readonly name: string
  readonly #env: ServiceEnv
  #service: ServiceProcess | undefined
  /** Every process that was ever started, to be ended whatever happens. */
  readonly #teardowns: (() => unknown)[] = []
  #isOver = false

  constructor(name: string, env: ServiceEnv) {
    this.name = name
    this.#env = env
  }

  /** Where it listens; undefined while it does not. */
  get url(): string | undefined {
    return this.#service?.url
  }

  async start(): Promise<void> {
    const service = await startService({ teardown: end => void this.#teardowns.push(end) }, this.#env, 'listening')
    if (this.#isOver) await service.stop('SIGKILL')
    else this.#service = service
  }

  /** `kill -9`, and a new process. */
  async killAndRestart(): Promise<void> {
    const service = this.#service
    this.#service = undefined
    await service?.stop('SIGKILL')
    if (!this.#isOver) await this.start()
  }

  /** SIGSTOP, and SIGCONT later: to others it looks dead, and then it goes on. */
  async pause(end: Promise<void>): Promise<void> {
    const process = this.#service?.process
    process?.kill('SIGSTOP')
    await end
    process?.kill('SIGCONT')
  }

  async end(): Promise<void> {
    this.#isOver = true
    this.#service = undefined
    await Promise.all(this.#teardowns.map(end => end()))
  }
}
