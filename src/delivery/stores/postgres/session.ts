import type { PostgresAddress } from '../../../lib/service/postgres-address.ts'
import type { Emit } from '../../../observability/events.ts'
import { PostgresClient } from '../../../postgres/client.ts'
import type { Ask, Row } from '../../../postgres/connection.ts'
import { prepareSchema } from '../../../postgres/schema.ts'
import { readServerFacts, type ServerFacts } from '../../../postgres/server-facts.ts'
import type { SharedPostgres } from '../../../postgres/shared.ts'
import { codeOf } from '../../../postgres/trouble.ts'
import { ServerRun } from '../server-run.ts'
import { type Acquaintance, mandatoryStandbys, remember, type StoreMemory } from './greeting.ts'
import { type Statement, type Statements, statementsOf } from './statements.ts'

export interface PostgresSessionOptions {
  readonly address: PostgresAddress
  readonly monotonic: () => number
  readonly emit: Emit
  /** For how long the loss of a record matters, in milliseconds. */
  readonly lossMattersMs: number
  readonly commandTimeoutMs: number
  /** For tests, which cannot move the clock of a Postgres: SQL of a timestamp. */
  readonly clock?: string | undefined
}

/** The tables have gone, or were emptied. */
class NoMemory extends Error {}

/**
 * The records' connections to Postgres. Each greets the server before anything else is said: may records be kept there,
 * does it take them, and is it still the one that was there before?
 */
export class PostgresSession {
  readonly server: ServerRun
  readonly statements: Statements
  readonly #options: PostgresSessionOptions
  readonly #client: PostgresClient
  readonly #onLoss: (() => void)[] = []
  #greeting: Promise<void> = Promise.resolve()
  #isPrepared = false
  #hasWarned = false
  /** Of the server that was greeted. */
  #facts: ServerFacts | undefined

  constructor(options: PostgresSessionOptions) {
    const { address, commandTimeoutMs, emit } = options
    this.#options = options
    this.server = new ServerRun(options.monotonic, options.lossMattersMs)
    this.statements = statementsOf({ ...address, clock: options.clock })
    this.#client = new PostgresClient({
      address,
      commandTimeoutMs,
      handshake: (ask, isProbing) => this.#greetInTurn(ask, isProbing),
      onChange: (isReachable, reason) =>
        emit({ name: 'reachability', part: 'store', isReachable, reason, server: 'Postgres' }),
      onTrouble: problem => emit({ name: 'store-unusable', problem })
    })
  }

  /** For what is kept beside the records. */
  get shared(): SharedPostgres {
    const client = this.#client
    return {
      schema: this.#options.address.schema,
      ask: (text, values) => client.ask(text, values),
      onLoss: listener => void this.#onLoss.push(listener),
      nowMs: () => this.server.time().nowMs,
      isReady: () => client.isReady()
    }
  }

  /** Resolves when it is clear whether Postgres is there; throws a StoreError where records must not be kept. */
  open(): Promise<void> {
    return this.#client.open()
  }

  /** Moves records on, each with its values in the order of the statement; rejects when that may or may not have happened. */
  async run(statement: Statement, records: readonly (readonly unknown[])[], mayRepeat = true): Promise<readonly Row[]> {
    this.#client.requireUsable()
    const { epoch } = this.server
    const rows = await this.#ask(statement, records)
    if (rows) return rows
    // What was greeted is no longer there: emptied, or another server at the same address. Nothing has happened.
    await this.#client.handshake()
    const again = mayRepeat || epoch === this.server.epoch ? await this.#ask(statement, records) : undefined
    if (again) return again
    this.#client.reconnect()
    throw new Error('Postgres may have lost the record')
  }

  ask(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#client.ask(text, values)
  }

  isReady(): boolean {
    return this.#client.isReady()
  }

  close(): void {
    this.#client.close()
  }

  /** Undefined when the server has to be greeted again, and has done nothing. */
  async #ask(statement: Statement, records: readonly (readonly unknown[])[]): Promise<readonly Row[] | undefined> {
    const { run = '', standbys = '' } = this.#facts ?? {}
    const greeted = statement.restsOnGreeting ? [this.server.epoch, run, standbys] : []
    const arrays = statement.columns.map((_, column) => records.map(record => record[column]))
    const askedAtMs = this.#options.monotonic()
    const rows = await this.#client.ask(statement.text, [...greeted, ...arrays])
    if (rows[0]?.['is_greeted'] !== true) return undefined
    this.server.observe(Number(rows[0]['now_ms']), askedAtMs)
    // The other instances learn of a jump from what the greeting writes.
    if (this.server.hasNews) this.#client.handshakeSoon()
    return rows
  }

  /** One after the other: each takes note of what the one before has learnt. */
  #greetInTurn(ask: Ask, isProbing: boolean): Promise<void> {
    const greeting = this.#greeting.then(() => this.#greet(ask, isProbing))
    this.#greeting = greeting.catch(() => undefined)
    return greeting
  }

  async #greet(ask: Ask, isProbing: boolean): Promise<void> {
    const { failover, schema, username } = this.#options.address
    const facts = await readServerFacts(ask, failover)
    if (!this.#isPrepared) {
      const onMigrated = (from: number, to: number): void =>
        this.#options.emit({ name: 'store-migrated', schema, from, to })
      await prepareSchema(ask, { schema, username, onMigrated })
      this.#isPrepared = true
    }
    try {
      // Told of a jump that this answer has shown, the server begins another epoch.
      do await this.#introduce(ask, facts, isProbing)
      while (this.server.hasNews)
    } catch (error) {
      if (error instanceof NoMemory || (error instanceof Error && codeOf(error) === '42P01')) this.#isPrepared = false
      throw error
    }
    this.#facts = facts
    if (!this.#hasWarned && !facts.isDurable) this.#options.emit({ name: 'store-limit', limit: 'no-fsync' })
    this.#hasWarned = true
  }

  async #introduce(ask: Ask, facts: ServerFacts, isProbing: boolean): Promise<void> {
    const met: Acquaintance = {
      ...this.server.introduction(),
      flushedTo: this.#facts?.flushedTo ?? '0/0',
      standbys: mandatoryStandbys(this.#facts?.standbys ?? '').join(',')
    }
    const lostBefore = this.server.epoch
    const askedAtMs = this.#options.monotonic()
    let { memory, nowMs } = await this.#recall(ask, '')
    if (isProbing || remember(memory, facts, met, nowMs) !== memory) memory = await this.#note(ask, facts, met)
    const { epoch, loss } = memory
    const lostAtMs = loss ? loss.atMs : -1
    this.server.greeted(facts.run, { nowMs, lostAtMs, mattersForMs: loss?.mattersForMs ?? 0, epoch }, askedAtMs)
    if (lostBefore !== epoch) for (const listener of this.#onLoss) listener()
  }

  async #recall(ask: Ask, lock: string): Promise<{ memory: StoreMemory; nowMs: number }> {
    const { schema } = this.#options.address
    const [row] = await ask(`
      SELECT run, epoch, standbys, floor(extract(epoch FROM lost_at) * 1000)::float8 AS lost_at_ms, loss_matters_for_ms,
        (SELECT now_ms FROM (${this.statements.now}) now) AS now_ms
      FROM ${schema}.store ${lock}`)
    if (!row) throw new NoMemory()
    const text = (name: string): string => String(row[name] ?? '')
    const [atMs, mattersForMs] = [row['lost_at_ms'], row['loss_matters_for_ms']]
    const isLost = typeof atMs === 'number' && typeof mattersForMs === 'number'
    const loss = isLost ? { atMs: Math.floor(atMs), mattersForMs } : undefined
    return {
      memory: { run: text('run'), epoch: text('epoch'), standbys: text('standbys'), loss },
      nowMs: Math.floor(Number(row['now_ms']))
    }
  }

  /** Under a lock, so that two processes that notice the same loss begin one epoch; shows that records can be written. */
  async #note(ask: Ask, facts: ServerFacts, met: Acquaintance): Promise<StoreMemory> {
    const { schema } = this.#options.address
    await ask('BEGIN')
    try {
      const { memory, nowMs } = await this.#recall(ask, 'FOR UPDATE')
      const { run, epoch, standbys, loss } = remember(memory, facts, met, nowMs)
      await ask(
        `UPDATE ${schema}.store SET run = $1, epoch = $2, standbys = $3, lost_at = to_timestamp($4::float8 / 1000),
           loss_matters_for_ms = $5::float8, probed_at = clock_timestamp()`,
        [run, epoch, standbys, loss?.atMs ?? null, loss?.mattersForMs ?? null]
      )
      await ask(`DELETE FROM ${schema}.records WHERE key = ''`)
      await ask('COMMIT')
      return { run, epoch, standbys, loss }
    } catch (error) {
      await ask('ROLLBACK').catch(() => undefined)
      throw error
    }
  }
}
