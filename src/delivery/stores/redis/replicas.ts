import type { RedisConnection } from '../../../redis/address.ts'
import type { RedisClient } from '../../../redis/client.ts'
import { PatientRedis } from '../../../redis/patient-redis.ts'
import { type Argument, type Script, ScriptRunner, UnknownScript } from '../../../redis/scripts.ts'

export interface ReplicasOptions {
  readonly connection: RedisConnection
  /** How many have to confirm. */
  readonly needed: number
  /** Told when enough of them begin to confirm, or no longer do. */
  readonly onChange: () => void
}

interface Question {
  readonly script: Script
  readonly keys: readonly string[]
  readonly args: readonly Argument[]
  readonly answer: (isConfirmed: boolean) => void
}

/** Less than a command may take, so that WAIT itself answers how many there were. */
const PART_OF_PATIENCE = 0.75

/**
 * Asks replicas to confirm what was written, on a connection of its own: WAIT blocks the connection that it is given on.
 * It speaks of that connection's last write (redis.io, WAIT), so each record is written once more there, by a script that
 * does so only where the record is still what it should be; one WAIT then stands for all records of a moment.
 */
export class Replicas {
  readonly #options: ReplicasOptions
  readonly #redis: PatientRedis
  readonly #runner: ScriptRunner
  #waiting: Question[] = []
  #isAsking = false
  #areConnected = true
  #areConfirming = true
  #wereEnough = true

  constructor(options: ReplicasOptions) {
    this.#options = options
    this.#redis = new PatientRedis(options.connection)
    // Each question tells its own failure; an event without a listener would end the process.
    this.#redis.on('error', () => undefined)
    this.#runner = new ScriptRunner(this.#redis)
  }

  /** Resolves when it is clear whether they can be asked; a connection that fails is tried again. */
  async open(): Promise<void> {
    await this.#redis.connect().catch(() => undefined)
  }

  close(): void {
    this.#redis.disconnect()
  }

  /** Whether enough replicas have what the script has written; false also where that cannot be known. */
  confirm(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<boolean> {
    return new Promise(answer => {
      this.#waiting.push({ script, keys, args, answer })
      if (!this.#isAsking) void this.#askAll()
    })
  }

  /** What the server says of its replicas. */
  noteConnected(count: number): void {
    this.#areConnected = count >= this.#options.needed
    this.#tell()
  }

  /** Whether replies can be sent, as far as is known. */
  get areEnough(): boolean {
    return this.#areConnected && this.#areConfirming
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true
    while (this.#waiting.length > 0) {
      // What is asked in this turn is asked together.
      await undefined
      const questions = this.#waiting
      this.#waiting = []
      const writing = questions.map(question => this.#write(question))
      this.#areConfirming = await this.#wait()
      const areWritten = await Promise.all(writing)
      for (const [index, { answer }] of questions.entries()) answer(areWritten[index] === true && this.#areConfirming)
      this.#tell()
    }
    this.#isAsking = false
  }

  /** Whether the record was still there to be written. */
  async #write({ script, keys, args }: Question): Promise<boolean> {
    try {
      const [answer] = await this.#runner.run(script, keys, args)
      return answer === 'yes'
    } catch (error) {
      // It leads to another server than the records' own connection, as a proxy may.
      if (error instanceof UnknownScript) this.#redis.disconnect(true)
      return false
    }
  }

  async #wait(): Promise<boolean> {
    const { needed, connection } = this.#options
    try {
      return (await this.#redis.wait(needed, Math.floor(connection.patienceMs * PART_OF_PATIENCE))) >= needed
    } catch {
      return false
    }
  }

  #tell(): void {
    if (this.areEnough === this.#wereEnough) return
    this.#wereEnough = this.areEnough
    this.#options.onChange()
  }
}

export interface ReplicasOfServersOptions {
  /** How many of each server have to confirm; 0 for none. */
  readonly needed: number
  readonly onChange: (areEnough: boolean) => void
}

/** The replicas of each server that holds records. */
export class ReplicasOfServers {
  readonly #options: ReplicasOfServersOptions
  readonly #replicas = new Map<RedisClient, Replicas>()
  #wereEnough = true

  constructor(options: ReplicasOfServersOptions) {
    this.#options = options
  }

  get areNeeded(): boolean {
    return this.#options.needed > 0
  }

  /** Whether replies can be sent, as far as is known. */
  get areEnough(): boolean {
    return [...this.#replicas.values()].every(replicas => replicas.areEnough)
  }

  of(client: RedisClient): Replicas | undefined {
    return this.#replicas.get(client)
  }

  /** Takes note of a server that says how many are connected; asks them on a connection that goes with the server's own. */
  async meet(client: RedisClient, connected: number): Promise<void> {
    const known = this.#replicas.get(client)
    const replicas = known ?? this.#connect(client)
    replicas.noteConnected(connected)
    if (!known) await replicas.open()
  }

  #connect(client: RedisClient): Replicas {
    const { needed } = this.#options
    const replicas = new Replicas({ connection: client.connection, needed, onChange: () => this.#tell() })
    this.#replicas.set(client, replicas)
    client.atEnd(() => {
      this.#replicas.delete(client)
      replicas.close()
      this.#tell()
    })
    return replicas
  }

  #tell(): void {
    if (this.areEnough === this.#wereEnough) return
    this.#wereEnough = this.areEnough
    this.#options.onChange(this.areEnough)
  }
}
