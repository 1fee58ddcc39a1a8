// The load: raw sockets and prepared bytes, so that it costs less than what it measures. Every answer is checked: it
// must be a 2xx for the user whose token was sent.
import { randomBytes } from 'node:crypto'
import { Connection } from './connection.ts'
import { type ManyUsers, type User, userWithSecret } from './identity.ts'

export interface LoadPlan {
  readonly port: number
  readonly connections: number
  /** A bearer token each; they take turns. */
  readonly users: readonly User[] | ManyUsers
  readonly path: string
  /** Lines for every request, each with its line break. */
  readonly headerLines?: string
  readonly body: string
  /** Whether each request brings an Idempotency-Key of its own. */
  readonly keyed: boolean
  /** What the answer of a user must contain; empty to take any 2xx. */
  readonly expects: 'sender' | 'any'
  /**
   * Whether to stay awake while it runs. Who writes to a process that sleeps pays for waking it, and a program that
   * keeps its callers waiting would pay more often; but where processors are shared, the time is somebody's.
   */
  readonly isAwake: boolean
}

export interface LoadRun {
  /** How long new requests are begun, in milliseconds. */
  readonly durationMs: number
  /** Requests a second at random times; as many as the connections take when it is left out. */
  readonly perSecond?: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Microseconds from the first byte sent to the last byte received. */
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

interface Prepared {
  readonly head: string
  readonly sender: Buffer
}

const CONNECTED_AT_ONCE = 100

class Load {
  readonly #plan: LoadPlan
  readonly #prepared: readonly Prepared[]
  readonly #beforeToken: string
  readonly #afterToken: string
  readonly #tail: string
  readonly #connections: Connection[] = []
  #turn = 0
  #keys = 0
  readonly #keyPrefix = randomBytes(9).toString('base64url')

  constructor(plan: LoadPlan) {
    this.#plan = plan
    const { path, headerLines = '', body, users } = plan
    this.#beforeToken = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer `
    this.#afterToken = `\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headerLines}`
    this.#tail = `\r\n${body}`
    // Of very many users a window meets only some: not always the same ones.
    if ('count' in users) this.#turn = Math.floor(Math.random() * users.count)
    this.#prepared = 'count' in users ? [] : users.map(user => this.#prepare(user))
  }

  #prepare({ uid, token }: User): Prepared {
    return { head: this.#beforeToken + token + this.#afterToken, sender: Buffer.from(`"sender":"${uid}"`) }
  }

  #nextRequest(): Prepared {
    const { users } = this.#plan
    const turn = this.#turn++
    if (!('count' in users)) return this.#prepared[turn % this.#prepared.length] as Prepared
    return this.#prepare(userWithSecret(turn % users.count, users))
  }

  async open(): Promise<void> {
    while (this.#connections.length < this.#plan.connections) {
      const missing = Math.min(CONNECTED_AT_ONCE, this.#plan.connections - this.#connections.length)
      this.#connections.push(
        ...(await Promise.all(Array.from({ length: missing }, () => Connection.connect(this.#plan.port))))
      )
    }
  }

  async run({ durationMs, perSecond }: LoadRun): Promise<LoadResult> {
    const samples: number[] = []
    const startedAtMs = performance.now()
    const endsAtMs = startedAtMs + durationMs
    if (this.#plan.isAwake) stayAwake(endsAtMs)
    if (perSecond === undefined) {
      await Promise.all(this.#connections.map(connection => this.#keepBusy(connection, endsAtMs, samples)))
    } else await this.#atRandom(perSecond, endsAtMs, samples)
    return { ...quantiles(samples), requests: samples.length, seconds: (performance.now() - startedAtMs) / 1000 }
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  async #keepBusy(connection: Connection, endsAtMs: number, samples: number[]): Promise<void> {
    while (performance.now() < endsAtMs) await this.#send(connection, samples)
  }

  /** Arrivals of a Poisson process, as fine as timers are; a busy connection is never waited for. */
  async #atRandom(perSecond: number, endsAtMs: number, samples: number[]): Promise<void> {
    const idle = [...this.#connections]
    const underWay = new Set<Promise<void>>()
    let nextAtMs = performance.now()
    while (nextAtMs < endsAtMs) {
      const waitMs = nextAtMs - performance.now()
      if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs))
      while (nextAtMs <= performance.now()) {
        nextAtMs += (-Math.log(1 - Math.random()) * 1000) / perSecond
        const connection = idle.pop()
        if (!connection) throw new Error('every connection was busy: give the load more of them')
        const sent: Promise<void> = this.#send(connection, samples).finally(() => {
          idle.push(connection)
          underWay.delete(sent)
        })
        underWay.add(sent)
      }
    }
    await Promise.all(underWay)
  }

  async #send(connection: Connection, samples: number[]): Promise<void> {
    const { head, sender } = this.#nextRequest()
    const key = this.#plan.keyed ? `idempotency-key: ${this.#keyPrefix}${this.#keys++}\r\n` : ''
    const startedAtMs = performance.now()
    const answer = await connection.exchange(head + key + this.#tail)
    samples.push((performance.now() - startedAtMs) * 1000)
    const isRight = this.#plan.expects === 'any' || answer.includes(sender)
    if (answer.toString('latin1', 9, 10) === '2' && isRight) return
    throw new Error(`an answer was not the one to its request: ${answer.toString('utf8', 0, 400)}`)
  }
}

/** An event loop with something to do does not wait in the kernel. */
function stayAwake(untilMs: number): void {
  if (performance.now() < untilMs) setImmediate(stayAwake, untilMs)
}

function quantiles(samples: readonly number[]): Pick<LoadResult, 'p50' | 'p90' | 'p99' | 'max'> {
  const sorted = Float64Array.from(samples).sort()
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}

let load: Load | undefined

export const loadHandlers = {
  async open(plan: LoadPlan) {
    load?.close()
    load = new Load(plan)
    await load.open()
  },
  run: async (run: LoadRun) => load?.run(run),
  close() {
    load?.close()
    load = undefined
  }
}
