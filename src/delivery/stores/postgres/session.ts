import { escapeIdentifier } from 'pg'
import type { PostgresAddress } from '../../../lib/service/postgres-address.ts'
import type { Emit } from '../../../observability/events.ts'
import { PostgresClient } from '../../../postgres/client.ts'
import type { Ask, Row } from '../../../postgres/connection.ts'
import { prepareSchema } from '../../../postgres/schema.ts'
import { readServerFacts, type ServerFacts } from '../../../postgres/server-facts.ts'
import type { SharedPostgres } from '../../../postgres/shared.ts'
import { codeOf } from '../../../postgres/trouble.ts'
import { ServerRun } from '../server-run.ts'
import { type Acquaintance, isBehind, mandatoryStandbys, remember } from './greeting.ts'
import { MemoryTable, NoMemory } from './memory-table.ts'
import { type Statement, type Statements, statementsOf } from './statements.ts'

export interface PostgresSessionOptions {
  readonly address: PostgresAddress
  readonly monotonic: () => number
  readonly emit: Emit
  /** For how long the loss of a record matters, in milliseconds. */
  readonly lossMattersMs: number
  readonly commandTimeoutMs: number
  readonly connections?: number | undefined
  /** For tests, which cannot move the clock of a Postgres: SQL of a timestamp. */
  readonly clock?: string | undefined
}

/**
 * The records' connections to Postgres. Each greets the server before anything else is said: may records be kept there,
 * does it take them, and is it still the one that was there before?
 */
export class PostgresSession {
  readonly server: ServerRun
  readonly statements: Statements
  readonly #options: PostgresSessionOptions
  /** As SQL has it. */
  readonly #schema: string
  readonly #table: MemoryTable
  readonly #client: PostgresClient
  readonly #onLoss: (() => void)[] = []
  #greeting: Promise<void> = Promise.resolve()
  #isPrepared = false
  #hasWarned = false
  /** Of the server that was greeted. */
  #facts: ServerFacts | undefined

  constructor(options: PostgresSessionOptions) {
    const { address, commandTimeoutMs, connections, emit } = options
    this.#options = options
    this.server = new ServerRun(options.monotonic, options.lossMattersMs)
    this.#schema = escapeIdentifier(address.schema)
    this.statements = statementsOf({ ...address, schema: this.#schema, clock: options.clock })
    this.#table = new MemoryTable(this.#schema, this.statements.now)
    this.#client = new PostgresClient({
      address,
      commandTimeoutMs,
      connections,
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
      schema: this.#schema,
      ask: (...asked) => client.ask(...asked),
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
    this.#noteWritten(run, rows.at(-1)?.['written_to'])
    // The other instances learn of a jump from what the greeting writes.
    if (this.server.hasNews) this.#client.handshakeSoon()
    return rows
  }

  #noteWritten(run: string, writtenTo: unknown): void {
    const facts = this.#facts
    if (facts?.run !== run || typeof writtenTo !== 'string') return
    if (isBehind(facts.flushedTo, writtenTo)) this.#facts = { ...facts, flushedTo: writtenTo }
  }

  /** One after the other: each takes note of what the one before has learnt. */
  #greetInTurn(ask: Ask, isProbing: boolean): Promise<void> {
    const greeting = this.#greeting.then(() => this.#greet(ask, isProbing))
    this.#greeting = greeting.catch(() => undefined)
    return greeting
  }

  async #greet(ask: Ask, isProbing: boolean): Promise<void> {
    const { failover, schema, username } = this.#options.address
    // What is written from here on is behind what the server answers.
    const before = this.#facts
    const facts = await readServerFacts(ask, failover)
    let found: ServerFacts
    if (!this.#isPrepared) {
      const onMigrated = (from: number, to: number): void =>
        this.#options.emit({ name: 'store-migrated', schema, from, to })
      await prepareSchema(ask, { schema, username, onMigrated })
      this.#isPrepared = true
    }
    try {
      // Told of a jump that this answer has shown, the server begins another epoch.
      do found = await this.#introduce(ask, facts, before, isProbing)
      while (this.server.hasNews)
    } catch (error) {
      if (error instanceof NoMemory || (error instanceof Error && codeOf(error) === '42P01')) this.#isPrepared = false
      throw error
    }
    const since = this.#facts
    this.#facts = found
    if (since !== before && since?.run === found.run) this.#noteWritten(found.run, since.flushedTo)
    if (!this.#hasWarned && !facts.isDurable) this.#options.emit({ name: 'store-limit', limit: 'no-fsync' })
    this.#hasWarned = true
  }

  /** What is known of the server then: its run is also that of the tables. */
  async #introduce(
    ask: Ask,
    facts: ServerFacts,
    before: ServerFacts | undefined,
    isProbing: boolean
  ): Promise<ServerFacts> {
    const met: Acquaintance = {
      ...this.server.introduction(),
      flushedTo: before?.flushedTo ?? '0/0',
      standbys: mandatoryStandbys(before?.standbys ?? '').join(',')
    }
    const lostBefore = this.server.epoch
    const askedAtMs = this.#options.monotonic()
    const { table, nowMs, ...recalled } = await this.#table.recall(ask)
    const found = facts.run === '' ? facts : { ...facts, run: `${facts.run}/${table}` }
    const isNews = remember(recalled.memory, found, met, nowMs) !== recalled.memory
    const { epoch, loss } = isProbing || isNews ? await this.#table.note(ask, found, met) : recalled.memory
    const lostAtMs = loss ? loss.atMs : -1
    this.server.greeted(found.run, { nowMs, lostAtMs, mattersForMs: loss?.mattersForMs ?? 0, epoch }, askedAtMs)
    if (lostBefore !== epoch) for (const listener of this.#onLoss) listener()
    return found
  }
}
