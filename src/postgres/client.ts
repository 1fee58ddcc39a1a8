import type { PostgresAddress } from '../lib/service/postgres-address.ts'
import { Looks } from '../lib/service/servers/looks.ts'
import { Reachability, type ReachabilityOptions } from '../lib/service/servers/reachability.ts'
import { StoreError } from '../lib/service/store-error.ts'
import { type Ask, type Connect, connector, type PostgresConnection, type Row } from './connection.ts'
import { Pool } from './pool.ts'
import { isAnswer, isFull, isOfConnection, reasonOf, type Trouble, troubleOf } from './trouble.ts'

export interface PostgresClientOptions extends Pick<ReachabilityOptions, 'onChange' | 'onTrouble'> {
  readonly address: PostgresAddress
  readonly commandTimeoutMs: number
  /** At most; 3 unless given. */
  readonly connections?: number | undefined
  /**
   * What has to succeed on a connection before anything else is asked of it; `isProbing` after trouble, where it has to
   * show that this Postgres takes writes. Rejects when it cannot be used; with a StoreError when it must not be.
   */
  readonly handshake: (ask: Ask, isProbing: boolean) => Promise<void>
}

/** Enough for three kinds of batches at a time; a pooler or another instance wants connections, too. */
const CONNECTIONS = 3
/** Again and again: a balancer may lead to another server without the loss of a connection. */
const HEARTBEAT_MS = 2000
const FIRST_RETRY_MS = 50
const MAX_RETRY_MS = 500
/** A disk that is full is not tried with every reply. */
const FULL_RETRY_MS = 2000
/** Connecting and a handshake take less; after that a service starts without its Postgres. */
const OPENING_MS = 3000

/**
 * A few connections to Postgres, known at any time to be usable or not. Only the statements under way wait for a
 * Postgres that hangs: the first one that gets no answer stops the others, until a handshake succeeds on a new connection.
 */
export class PostgresClient {
  readonly #options: PostgresClientOptions
  readonly #connect: Connect
  readonly #pool = new Pool()
  readonly #reachability: Reachability
  readonly #looks = new Looks(() => this.#look())
  #isClosed = false
  #isUsable = false
  /** Postgres answers, but with an error; until the first handshake anything may be wrong. */
  #isInTrouble = true
  #isFilling = false
  #timer: NodeJS.Timeout | undefined
  #retries = 0

  /** Throws a StoreError where the address names a file that cannot be read. */
  constructor(options: PostgresClientOptions) {
    this.#options = options
    this.#connect = connector(options.address, options.commandTimeoutMs)
    this.#reachability = new Reachability({ ...options, openingMs: OPENING_MS })
  }

  /**
   * Resolves when it is clear whether Postgres is there; a service that starts without it says 503 until it is. Rejects
   * with a StoreError where it must not be used.
   */
  async open(): Promise<void> {
    try {
      await this.#reachability.open(() => this.handshakeSoon())
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Runs one statement on any connection. Rejects when it may or may not have run, and at once while Postgres is away. */
  async ask(text: string, values: readonly unknown[], timeoutMs?: number): Promise<readonly Row[]> {
    this.requireUsable()
    try {
      return await this.#pool.use(connection => connection.ask(text, values, timeoutMs))
    } catch (error) {
      this.#noteFailure(error)
      throw error
    }
  }

  requireUsable(): void {
    if (!this.#isUsable) throw new Error('Postgres cannot be reached')
  }

  /** A handshake that begins after this call, for all that wait for it; rejects when Postgres cannot be used after it. */
  async handshake(): Promise<void> {
    await this.#looks.next()
    this.requireUsable()
  }

  handshakeSoon(): void {
    this.#lookIn(0)
  }

  /** What is connected may be several servers, of which one may have been left behind. */
  reconnect(): void {
    this.#drop(new Error('another server'))
  }

  isReady(): boolean {
    return this.#isUsable && !this.#isInTrouble
  }

  close(): void {
    this.#isClosed = true
    this.#reachability.close()
    this.#drop(new Error('closed'))
    clearTimeout(this.#timer)
  }

  #noteFailure(error: unknown): void {
    const isFirst = !this.#isInTrouble
    this.#isInTrouble = true
    const trouble = this.#noteReason(error)
    if (trouble) this.#reachability.tellTrouble(trouble.sentence)
    // An error that Postgres answers may be about one statement: the others are asked as before.
    if (!isAnswer(error) || isOfConnection(error)) this.#drop(error)
    else if (isFirst) this.#lookIn(isFull(error) ? FULL_RETRY_MS : FIRST_RETRY_MS)
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer)
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#looks.next(), ms).unref()
  }

  /** Greets Postgres on a connection that there is, or on a new one. */
  async #look(): Promise<void> {
    try {
      if (this.#pool.size === 0) this.#welcome(await this.#connectAndGreet())
      else await this.#pool.use(connection => this.#greet(connection))
      this.#retries = 0
      this.#isUsable = !this.#isClosed
      this.#isInTrouble = false
      this.#reachability.tell(true)
      this.#lookIn(HEARTBEAT_MS)
      void this.#fill()
    } catch (error) {
      this.#fail(error)
      // What is kept there can be read all the same.
      if (isFull(error) && this.#pool.size > 0) this.#lookIn(FULL_RETRY_MS)
      else this.#drop(error)
    }
  }

  /** One more connection at a time; where none can be had those that there are must do. */
  async #fill(): Promise<void> {
    if (this.#isFilling) return
    this.#isFilling = true
    const { connections = CONNECTIONS } = this.#options
    try {
      while (this.#isUsable && this.#pool.size < connections) this.#welcome(await this.#connectAndGreet())
    } catch (error) {
      const trouble = this.#noteReason(error)
      if (trouble && this.#isUsable) this.#options.onTrouble?.(trouble.sentence)
    } finally {
      this.#isFilling = false
    }
  }

  #welcome(connection: PostgresConnection): void {
    if (this.#isClosed) connection.close()
    if (!connection.isOpen) throw new Error('the connection was lost')
    this.#pool.add(connection)
  }

  #greet(connection: PostgresConnection): Promise<void> {
    return this.#options.handshake((...asked) => connection.ask(...asked), this.#isInTrouble)
  }

  /** To the first host that can be used; where none can, rejects with what the operator can do something about. */
  async #connectAndGreet(): Promise<PostgresConnection> {
    let failure: unknown
    for (const host of this.#options.address.hosts) {
      let connection: PostgresConnection | undefined
      try {
        connection = await this.#connect(host, reason => connection && this.#lose(connection, reason))
        await this.#greet(connection)
        return connection
      } catch (error) {
        connection?.close()
        if (failure === undefined || !troubleOf(failure)) failure = error
      }
    }
    throw failure
  }

  #lose(connection: PostgresConnection, reason: Error): void {
    if (!this.#pool.remove(connection)) return
    this.#noteReason(reason)
    if (this.#pool.size > 0) this.handshakeSoon()
    else this.#drop(reason)
  }

  /** What is under way is rejected; a new connection is tried soon. */
  #drop(reason: unknown): void {
    this.#isUsable = false
    this.#pool.empty(reason)
    this.#reachability.tell(false)
    this.#lookIn(Math.min(FIRST_RETRY_MS * 2 ** this.#retries++, MAX_RETRY_MS) * (0.5 + Math.random()))
  }

  #fail(error: unknown): void {
    const trouble = this.#noteReason(error)
    if (trouble?.isFinal) this.#reachability.refuse(new StoreError(trouble.sentence))
    else if (trouble) this.#reachability.tellTrouble(trouble.sentence)
  }

  #noteReason(error: unknown): Trouble | undefined {
    this.#reachability.reason = reasonOf(error)
    return troubleOf(error)
  }
}
