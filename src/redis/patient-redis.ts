import { type Command, Redis } from 'ioredis'
import { awakeTimeout } from '../lib/clock.ts'
import type { RedisConnection } from './address.ts'

/** A client whose commands time out by the time in which this process was awake; its own would not. */
export class PatientRedis extends Redis {
  readonly #patienceMs: number

  constructor({ patienceMs, ...options }: RedisConnection) {
    super(options)
    this.#patienceMs = patienceMs
  }

  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    this.#limit(command)
    return super.sendCommand(command, stream)
  }

  #limit(command: Command): void {
    const end = awakeTimeout(this.#patienceMs, () => command.reject(new Error('Command timed out')))
    command.promise.then(end, end)
  }
}

/** Asks one question on a connection of its own. Rejects with what was wrong first, such as a refused connection. */
export async function askOnce(connection: RedisConnection, name: string, ...args: string[]): Promise<unknown> {
  const redis = new PatientRedis({ ...connection, protocol: 2, enableOfflineQueue: true, retryStrategy: () => null })
  let first: Error | undefined
  redis.on('error', error => {
    first ??= error
  })
  try {
    return await redis.call(name, ...args)
  } catch (error) {
    throw first ?? error
  } finally {
    redis.disconnect()
  }
}
