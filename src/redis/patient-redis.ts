import { type Command, Redis } from 'ioredis'
import type { RedisConnection } from './address.ts'

/** A time-out ends after so many parts, each of which this process was awake for. */
const PARTS = 4

/**
 * A client whose commands time out by the time in which this process could have read an answer: one that was held up (a
 * busy machine, a container at its limit of CPU) finds its timers due before it has looked at its sockets, and must not
 * take its own pause for the silence of Redis.
 */
export class PatientRedis extends Redis {
  readonly #partMs: number

  constructor({ patienceMs, ...options }: RedisConnection) {
    super(options)
    this.#partMs = patienceMs / PARTS
  }

  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    this.#limit(command)
    return super.sendCommand(command, stream)
  }

  #limit(command: Command): void {
    let partsLeft = PARTS
    const timer = setTimeout(() => {
      partsLeft -= 1
      if (partsLeft > 0) timer.refresh()
      else command.reject(new Error('Command timed out'))
    }, this.#partMs)
    const end = (): void => clearTimeout(timer)
    command.promise.then(end, end)
  }
}
