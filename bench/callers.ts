// Callers who come at random times, whatever became of those before them, and probes beside them: a process of its own,
// so that what they measure is not how late the bench itself is.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerParent } from './child.ts'
import { Connection } from './connection.ts'
import type { User } from './identity.ts'

export interface CallersPlan {
  readonly port: number
  readonly users: readonly User[]
  readonly path: string
  readonly body: string
  /** Whether each brings an Idempotency-Key of its own. */
  readonly isKeyed?: boolean
  /** Where a probe asks every 100 ms, by name. */
  readonly probes?: Readonly<Record<string, { readonly port: number; readonly path: string }>>
}

export interface Window {
  readonly name: string
  readonly forMs: number
  readonly streams: readonly Stream[]
}

/** Those of the users from one to before another, in turn. */
export interface Stream {
  readonly name: string
  readonly perSecond: number
  readonly from: number
  readonly to: number
}

export interface Call {
  /** In which it began. */
  readonly window: string
  readonly stream: string
  readonly tookMs: number
  /** 0 where there was no answer. */
  readonly status: number
  readonly delivery: string
}

export interface Probe {
  readonly window: string
  readonly name: string
  readonly tookMs: number
}

export interface Seen {
  readonly calls: readonly Call[]
  readonly probes: readonly Probe[]
}

const PROBE_EVERY_MS = 100
const DELIVERY = /"delivery":"([a-z-]+)"/
const LAST_ON_CONNECTION = /\r\nconnection: close\r\n/i
/** As clients do that know KEEP_ALIVE_TIMEOUT_MS, of 72 s: the service ends what nobody has used for longer. */
const LONGEST_IDLE_MS = 60_000

class Callers {
  readonly #plan: CallersPlan
  readonly #idle: { readonly connection: Connection; readonly sinceMs: number }[] = []
  readonly #underWay = new Set<Promise<void>>()
  #calls: Call[] = []
  #probes: Probe[] = []
  #window = ''

  constructor(plan: CallersPlan) {
    this.#plan = plan
    for (const [name, at] of Object.entries(plan.probes ?? {})) setInterval(() => this.#probe(name, at), PROBE_EVERY_MS)
  }

  /** Resolves when the time is over; answers may still be on their way. */
  async offer({ name, forMs, streams }: Window): Promise<void> {
    this.#window = name
    const endsAtMs = performance.now() + forMs
    await Promise.all(streams.map(stream => this.#offerStream(stream, name, endsAtMs)))
  }

  /** Everything that was seen since the last time, once every call has ended. */
  async seen(): Promise<Seen> {
    await Promise.all(this.#underWay)
    const seen = { calls: this.#calls, probes: this.#probes }
    this.#calls = []
    this.#probes = []
    return seen
  }

  async #offerStream(stream: Stream, window: string, endsAtMs: number): Promise<void> {
    let turn = 0
    for (let nextAtMs = performance.now(); nextAtMs < endsAtMs; ) {
      await sleep(Math.max(1, nextAtMs - performance.now()))
      while (nextAtMs <= performance.now() && nextAtMs < endsAtMs) {
        nextAtMs += (-Math.log(1 - Math.random()) * 1000) / stream.perSecond
        const user = this.#plan.users[stream.from + (turn++ % (stream.to - stream.from))]
        if (user) this.#begin(this.#call(user, stream.name, window))
      }
    }
  }

  #begin(work: Promise<void>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked))
    this.#underWay.add(tracked)
  }

  async #call({ token }: User, stream: string, window: string): Promise<void> {
    const { path, body } = this.#plan
    const key = this.#plan.isKeyed ? `idempotency-key: ${randomUUID()}\r\n` : ''
    const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n${key}`
    const rest = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    const startedAtMs = performance.now()
    let answer = ''
    try {
      const connection = this.#takeIdle() ?? (await Connection.connect(this.#plan.port))
      answer = String(await connection.exchange(head + rest))
      if (LAST_ON_CONNECTION.test(answer)) connection.close()
      else this.#idle.push({ connection, sinceMs: performance.now() })
    } catch {
      // No answer of the service.
    }
    const status = Number(answer.slice(9, 12))
    const delivery = status === 201 ? 'sent' : (DELIVERY.exec(answer)?.[1] ?? '')
    this.#calls.push({ window, stream, tookMs: performance.now() - startedAtMs, status, delivery })
  }

  /** Undefined where there is none that the service has not ended meanwhile. */
  #takeIdle(): Connection | undefined {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (idle.connection.isOpen && performance.now() - idle.sinceMs < LONGEST_IDLE_MS) return idle.connection
      idle.connection.close()
    }
    return undefined
  }

  #probe(name: string, { port, path }: { readonly port: number; readonly path: string }): void {
    const window = this.#window
    const startedAtMs = performance.now()
    // On a connection of its own, as the probes of most platforms.
    const probed = Connection.connect(port).then(async connection => {
      await connection.exchange(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`)
      connection.close()
      this.#probes.push({ window, name, tookMs: performance.now() - startedAtMs })
    })
    this.#begin(probed)
  }
}

let callers: Callers | undefined

answerParent('ready', {
  open(plan: CallersPlan) {
    callers = new Callers(plan)
  },
  offer: (window: Window) => callers?.offer(window),
  seen: () => callers?.seen()
})
