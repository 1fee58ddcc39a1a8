import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { AppError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { DRAIN_MARGIN_MS } from '../lib/service/drain-times.ts'

/** The end of an instance: first it says so while it serves, then it accepts only what it can still finish. */
export class Drain {
  readonly #clock: Clock
  readonly #deadlineMs: number
  readonly #marginMs: number
  #draining = false
  #closesAtMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock, deadlineMs: number, marginMs = DRAIN_MARGIN_MS) {
    this.#clock = clock
    this.#deadlineMs = deadlineMs
    this.#marginMs = marginMs
  }

  /** From now on `/readyz` says no, and every answer ends its connection. */
  begin(): void {
    this.#draining = true
  }

  /** From now on the process waits for what is under way and ends within the time returned, in milliseconds. */
  close(): number {
    this.begin()
    const graceMs = this.#deadlineMs + this.#marginMs
    this.#closesAtMs = this.#clock.monotonic() + graceMs
    return graceMs
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Throws `draining` for what could be cut off; asked again before a reply begins, because a body takes its time. */
  check(): void {
    if (!this.#draining || this.hasTime()) return
    throw new AppError('draining', 'This instance is shutting down.', { retryAfterMs: 1000 })
  }

  /** Whether a reply that begins now is sure to end before the process does. */
  hasTime(): boolean {
    return this.#clock.monotonic() + this.#deadlineMs < this.#closesAtMs
  }
}

/** A connection on its way to its first request gets so long before it is ended. */
const UNUSED_GRACE_MS = 500

/** Ends connections without a request: Node counts them as busy, and would wait until something else ends them. */
export const endUnusedConnections = fp(
  async app => {
    const open = new Set<Socket>()
    // One listener for all sockets, thousands of which may be open.
    const forget = function (this: Socket): void {
      open.delete(this)
    }
    app.server.on('connection', (socket: Socket) => void open.add(socket.on('close', forget)))
    app.addHook('preClose', async () => {
      setTimeout(() => {
        for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
      }, UNUSED_GRACE_MS).unref()
    })
  },
  { name: 'end-unused-connections', fastify: '5.x' }
)
