import fp from 'fastify-plugin'
import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'

/** The end of an instance: first it says so while it serves, then it accepts only what it can still finish. */
export class Drain {
  readonly #clock: Clock
  readonly #deadlineMs: number
  readonly #marginMs: number
  #draining = false
  #closesAtMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock, deadlineMs: number, marginMs = 2000) {
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

  /** Whether a reply that begins now is sure to end before the process does. */
  hasTime(): boolean {
    return this.#clock.monotonic() + this.#deadlineMs < this.#closesAtMs
  }
}

/** Tells kept-alive clients to go elsewhere, and refuses what could be cut off. */
export const drainHook = fp<{ drain: Drain }>(
  async (app, { drain }) => {
    app.addHook('onRequest', async (_request, reply) => {
      if (!drain.draining) return
      reply.header('connection', 'close')
      if (!drain.hasTime()) throw new AppError('draining', 'This instance is shutting down.', { retryAfterMs: 1000 })
    })
  },
  { name: 'drain', fastify: '5.x' }
)
