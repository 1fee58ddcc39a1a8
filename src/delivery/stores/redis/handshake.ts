import { Redis } from 'ioredis'
import type { RedisAddress } from '../../../lib/store-address.ts'
import { StoreError, type StoreLog } from '../../../lib/store-error.ts'
import { redisConnection } from '../../../redis/address.ts'
import { type Argument, ScriptRunner, UnknownScript } from '../../../redis/scripts.ts'
import { readServerFacts, type ServerFacts } from '../../../redis/server-info.ts'
import { type Scripts, scriptsOf, type Transition } from './scripts.ts'
import { ServerRun } from './server-run.ts'

export interface RedisSessionOptions {
  readonly address: RedisAddress
  readonly monotonic: () => number
  readonly log: StoreLog
  /** For how long the loss of a record matters, in milliseconds. */
  readonly lossMattersMs: number
  readonly commandTimeoutMs: number
  /** For tests, which cannot move the clock of a Redis: Lua that changes `now`, in milliseconds. */
  readonly timeShim?: string | undefined
}

const PREFIX = 'reply:'
/** What the scripts remember of the server; no record is called so, because their names are longer. */
const MEMORY = `${PREFIX}meta`
const BEAT_MS = 2000
const BEAT_IN_TROUBLE_MS = 250
/** So many command timeouts are more than connecting and greeting take; then the service starts without its records. */
const OPENING_TIMEOUTS = 4
const CREDENTIALS = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid|ERR AUTH)/
const REPLY_CODES = /^(LOADING|READONLY|OOM|MISCONF|NOPERM|NOAUTH|WRONGPASS)\b/

/**
 * A connection to Redis that greets whom it meets before anything else is said: may records be kept there, does it
 * take them, and is it still the one that was there before?
 */
export class RedisSession {
  readonly server: ServerRun
  readonly #options: RedisSessionOptions
  readonly #client: Redis
  readonly #scripts: ScriptRunner
  readonly #opening = Promise.withResolvers<void>()
  #isOpening = true
  #isClosed = false
  /** As they were told to the server that was greeted. */
  #told: Scripts
  #toldRunId: string | undefined
  #greeting: Promise<void> | undefined
  /** True once this very connection may be used. */
  #isGreeted = false
  #isInTrouble = false
  #timer: NodeJS.Timeout | undefined
  #said = 'nothing'
  #reason = 'no answer'

  constructor(options: RedisSessionOptions) {
    this.#options = options
    this.server = new ServerRun(options.monotonic, options.lossMattersMs)
    this.#client = new Redis(redisConnection(options.address, options.commandTimeoutMs))
    this.#scripts = new ScriptRunner(this.#client)
    this.#told = scriptsOf('', options.timeShim)
    this.#client.on('ready', () => this.#beatIn(0))
    this.#client.on('close', () => this.#lose())
    this.#client.on('error', error => this.#noteReason(error))
  }

  /** Resolves when it is clear whether Redis is there; throws a StoreError where records must not be kept. */
  async open(): Promise<void> {
    const patience = setTimeout(() => this.#tellLost(), OPENING_TIMEOUTS * this.#options.commandTimeoutMs)
    this.#client.connect().catch(() => undefined)
    try {
      await this.#opening.promise
    } catch (error) {
      this.close()
      throw error
    } finally {
      this.#isOpening = false
      clearTimeout(patience)
    }
  }

  /** Moves a record on; rejects when that may or may not have happened, and at once while Redis is not there. */
  async run(transition: Transition, key: string, ...args: readonly Argument[]): Promise<readonly unknown[]> {
    if (!this.#isGreeted) throw new Error('Redis cannot be reached')
    const { epoch } = this.server
    const answer = await this.#ask(transition, key, args)
    if (answer) return answer
    // What was greeted is no longer there: emptied, or another server at the same connection. Nothing has happened.
    await this.#greetNow()
    // Both rest on what an acquisition saw, which may be lost by now.
    const restsOnFormer = transition === 'markSent' || transition === 'takeOver'
    const again = restsOnFormer && epoch !== this.server.epoch ? undefined : await this.#ask(transition, key, args)
    if (again) return again
    throw new Error('Redis may have lost the record')
  }

  /** Undefined when the server has to be greeted again, and has done nothing. */
  async #ask(transition: Transition, key: string, args: readonly Argument[]): Promise<readonly unknown[] | undefined> {
    const askedAtMs = this.#options.monotonic()
    try {
      const script = this.#told[transition]
      const answer = await this.#scripts.run(script, [PREFIX + key, MEMORY], [this.server.epoch, ...args])
      if (answer[0] === 'greet-again') return undefined
      if (typeof answer[1] === 'number') this.#observe(answer[1], askedAtMs)
      return answer
    } catch (error) {
      if (error instanceof UnknownScript) {
        this.#toldRunId = undefined
        return undefined
      }
      if (!this.#isInTrouble) this.#beatIn(0)
      this.#isInTrouble = true
      throw error
    }
  }

  #observe(nowMs: number, askedAtMs: number): void {
    this.server.observe(nowMs, askedAtMs)
    // The other instances learn of a jump from what the greeting writes.
    if (this.server.hasNews) this.#beatIn(0)
  }

  isReady(): boolean {
    return this.#isGreeted && !this.#isInTrouble && this.#client.status === 'ready'
  }

  close(): void {
    this.#isClosed = true
    this.#isGreeted = false
    clearTimeout(this.#timer)
    this.#client.disconnect()
  }

  /** After a failover the same address may lead to another server, but only a new connection gets there. */
  #beatIn(ms: number, anew = false): void {
    clearTimeout(this.#timer)
    const next = (): void => void (anew ? this.#client.disconnect(true) : this.#greetNow().catch(() => undefined))
    if (!this.#isClosed) this.#timer = setTimeout(next, ms).unref()
  }

  /** One greeting at a time, for all that wait for it; rejects when the server cannot be used. */
  async #greetNow(): Promise<void> {
    this.#greeting ??= this.#beat().finally(() => {
      this.#greeting = undefined
    })
    await this.#greeting
    if (!this.#isGreeted) throw new Error('Redis cannot be reached')
  }

  /** Greets, again and again: a proxy may lead to another server without the loss of a connection. */
  async #beat(): Promise<void> {
    const { stream } = this.#client
    try {
      const isSame = await this.#greet(() => stream === this.#client.stream)
      if (isSame) this.#beatIn(BEAT_MS)
      else if (this.#client.status === 'ready') this.#beatIn(0)
    } catch (error) {
      this.#noteReason(error)
      this.#isGreeted = false
      if (error instanceof StoreError) this.#refuse(error)
      if (this.#client.status === 'ready') this.#beatIn(BEAT_IN_TROUBLE_MS, isReplica(error))
    }
  }

  async #greet(isSame: () => boolean): Promise<boolean> {
    const facts = await this.#facts()
    if (facts?.refusal !== undefined) throw new StoreError(facts.refusal)
    if (facts?.obstacle !== undefined) throw new Error(facts.obstacle)
    const runId = facts?.runId ?? ''
    if (!isSame()) return false
    const scripts = this.#toldRunId === runId ? this.#told : scriptsOf(runId, this.#options.timeShim)
    await Promise.all([this.#introduce(runId, scripts), this.#tell(runId, scripts)])
    // Told of a jump that this answer has shown, the server begins another epoch.
    while (this.server.hasNews && isSame()) await this.#introduce(runId, scripts)
    if (!isSame()) return false
    this.#isGreeted = true
    this.#isInTrouble = false
    if (this.#said === 'nothing') warnOf(facts, this.#options.log)
    else if (this.#said !== 'up') this.#options.log.info('the Redis of STORE_URL can be used again')
    this.#said = 'up'
    this.#opening.resolve()
    return true
  }

  async #introduce(runId: string, { greet }: Scripts): Promise<void> {
    const askedAtMs = this.#options.monotonic()
    const answer = await this.#scripts.runText(greet, [MEMORY], this.server.introduction(runId))
    const [nowMs, lostAtMs, mattersForMs, epoch] = answer
    const areDates = typeof nowMs === 'number' && typeof lostAtMs === 'number' && typeof mattersForMs === 'number'
    if (!areDates || typeof epoch !== 'string') throw new Error('not an answer to a greeting')
    this.server.greeted(runId, { nowMs, lostAtMs, mattersForMs, epoch }, askedAtMs)
  }

  /** Makes the scripts known to this run of the server, and to it alone. */
  async #tell(runId: string, scripts: Scripts): Promise<void> {
    if (this.#toldRunId === runId && runId !== '') return
    const telling = Object.values(scripts).map(one => this.#scripts.runText(one, [], []))
    // Asked again, so that all of this was said to one server: a proxy may lead elsewhere between two words.
    const [facts] = await Promise.all([this.#facts(), ...telling])
    if ((facts?.runId ?? '') !== runId) throw new Error('another server')
    this.#told = scripts
    this.#toldRunId = runId
  }

  /** Undefined where the user in STORE_URL may not ask. */
  async #facts(): Promise<ServerFacts | undefined> {
    try {
      return readServerFacts(await this.#client.info())
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('NOPERM')) return undefined
      throw error
    }
  }

  #lose(): void {
    this.#isGreeted = false
    clearTimeout(this.#timer)
    if (!this.#isClosed) this.#tellLost()
  }

  #tellLost(): void {
    if (this.#said === 'up' || this.#said === 'nothing') {
      this.#options.log.warn(`the Redis of STORE_URL cannot be reached (${this.#reason}); trying again`)
      this.#said = 'down'
    }
    this.#opening.resolve()
  }

  #refuse(error: StoreError): void {
    this.#opening.reject(error)
    if (this.#isOpening || this.#said === error.message) return
    this.#options.log.error(error.message)
    this.#said = error.message
  }

  /** Keeps a word that says what is wrong; the message itself may repeat what was sent, credentials too. */
  #noteReason(error: unknown): void {
    if (!(error instanceof Error)) return
    const code = 'code' in error ? String(error.code) : (REPLY_CODES.exec(error.message)?.[0] ?? 'no answer')
    this.#reason = /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? code : 'no answer'
    if (!CREDENTIALS.test(error.message)) return
    this.#refuse(
      new StoreError(
        'STORE_URL names a Redis that refuses its user or password, or what the user has to do: EVAL and EVALSHA on reply:*.'
      )
    )
  }
}

function warnOf(facts: ServerFacts | undefined, log: StoreLog): void {
  if (!facts) {
    log.warn('the user of STORE_URL may not run INFO: that Redis evicts or has lost records would go unnoticed')
  } else if (!facts.isPersistent) {
    log.warn(
      'the Redis of STORE_URL keeps no append-only file: when it restarts, replies are looked for in their threads'
    )
  }
}

function isReplica(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('READONLY')
}
