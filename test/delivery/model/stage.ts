// One key, one store, one CometChat, and as many attempts on as many processes as a suite wants to see.

import type { DeliveryOptions } from '../../../src/delivery/deliver.ts'
import type { RecordStore } from '../../../src/delivery/record.ts'
import { createRecordKeys } from '../../../src/delivery/record-keys.ts'
import { AppError } from '../../../src/errors.ts'
import type { Receiver } from '../../../src/upstream/types.ts'
import type { StoreUnderTest } from '../stores/stores.ts'
import { type Answer, type Attempt, begin, LEASE_MS } from './attempt.ts'
import type { Decisions } from './decisions.ts'
import { FakeCometChat, type FakeCometChatOptions, type Flaws } from './fake-cometchat.ts'
import { flakyStore } from './flaky-store.ts'
import { brokenPromises, tooManyReads } from './promises.ts'
import type { Process, SharedStore, World } from './world.ts'

export const QUIET_MS = 120_000

export interface StageOptions {
  readonly openStore: StoreUnderTest['open']
  /** The longest time between the end of a connection and the commit of what it carried. */
  readonly latestCommitMs?: number
  /** What the service believes of it. */
  readonly quietPeriodMs?: number
  /** Whether every attempt knows who receives its reply, or none; else some do. */
  readonly knowsReceiver?: boolean
  /** For mutants: what each attempt meets in place of the real part. */
  readonly mutateStore?: (store: RecordStore) => RecordStore
  readonly search?: FakeCometChatOptions['search']
  readonly mutateClient?: (client: ReturnType<FakeCometChat['clientOf']>) => ReturnType<FakeCometChat['clientOf']>
}

const FINAL: ReadonlySet<string> = new Set(['thread-not-found', 'rejected-by-cometchat', 'idempotency-key-reused'])
const RECEIVER: Receiver = { receiver: 'bob', receiverType: 'user' }
/** In flight until the lease is over, unknown until the quiet period is, looked for at growing distances, sent. */
const ROUNDS = 12
const CLOCK_TOLERANCE_MS = 2000

export class Stage {
  readonly world: World
  readonly cometchat: FakeCometChat
  readonly attempts: Attempt[] = []
  /** Nothing goes wrong until somebody wants it to. */
  readonly flaws: Flaws = { perThousand: 0 }
  readonly #decisions: Decisions
  readonly #shared: SharedStore
  readonly #stores = new Map<Process, RecordStore>()
  readonly #options: StageOptions
  readonly #recordKeys = createRecordKeys('a secret that all instances share')
  readonly #broken: string[] = []
  #leaseEndsAtMs = 0
  #looksLeasedSinceMs = Number.POSITIVE_INFINITY

  private constructor(world: World, decisions: Decisions, shared: SharedStore, options: StageOptions) {
    this.world = world
    this.#decisions = decisions
    this.#shared = shared
    this.#options = options
    const { latestCommitMs = QUIET_MS, search } = options
    const flawed = { world, decisions, latestCommitMs, flaws: this.flaws }
    this.cometchat = new FakeCometChat({ ...flawed, ...(search && { search }) })
  }

  static async open(world: World, decisions: Decisions, options: StageOptions): Promise<Stage> {
    return new Stage(world, decisions, await options.openStore(world), options)
  }

  /** An instance of the service starts and connects to the store. */
  async startProcess(name: string): Promise<Process> {
    const process = { name, bootedAtMs: this.world.nowMs - 5000, isAlive: true, stoppedUntilMs: 0 }
    const store = await this.#shared.connect(process)
    this.#stores.set(process, this.#options.mutateStore?.(store) ?? store)
    return process
  }

  /** A client sends the reply to a process, with a key unless it is null; its steps wait to be taken. */
  begin(text: string, process: Process, key: string | null = 'the one key'): Attempt {
    const { world, flaws } = this
    const store = this.#stores.get(process)
    if (!store) throw new Error(`${process.name} was not started here`)
    const now = { beganAtMs: world.nowMs, lastAskedAt: world.sequence }
    const attempt: Attempt = { id: this.attempts.length, text, process, ...now, isWaiting: true }
    this.attempts.push(attempt)
    world.note(`#${attempt.id} begins on ${process.name}: ${text}`)
    const client = this.cometchat.clientOf(attempt)
    const onLease = (lease: 'begins' | 'runs'): void => this.#watchLease(lease)
    begin(attempt, {
      world,
      store: flakyStore(store, attempt, { world, decisions: this.#decisions, flaws, onLease }),
      cometchat: this.#options.mutateClient?.(client) ?? client,
      receiverOf: this.#receiverOf,
      recordKeys: this.#recordKeys,
      quietPeriodMs: this.#options.quietPeriodMs ?? QUIET_MS,
      key
    })
    return attempt
  }

  /** Takes the steps that can be taken now, at most so many; no time goes by. */
  async takeSteps(count = Number.POSITIVE_INFINITY): Promise<number> {
    let taken = 0
    for (let [step] = this.world.ready(); step && taken < count; [step] = this.world.ready()) {
      await this.world.take(step)
      taken++
    }
    return taken
  }

  /** From now on nothing goes wrong: the reply must get a final answer soon, and no lock may outlast its lease. */
  async converge(waitsMs: readonly number[] = [LEASE_MS + 1]): Promise<Answer | undefined> {
    const { world } = this
    this.flaws.perThousand = 0
    this.cometchat.script.length = 0
    await world.drain()
    const process = await this.startProcess('C')
    for (let round = 0; round < ROUNDS; round++) {
      world.advance(waitsMs[round] ?? 0)
      const attempt = this.begin('hello', process)
      await world.drain()
      const { answer } = attempt
      if (answer && isFinal(answer)) return answer
      if (!answer) this.#broken.push(`#${attempt.id} got no answer`)
      world.advance(Math.max(answer?.retryAfterMs ?? 0, 1000))
    }
    if (this.cometchat.canProve) this.#broken.push(`P3: no final answer after ${ROUNDS} attempts in peace`)
    return undefined
  }

  /** Every promise that was broken so far, in words. */
  broken(): string[] {
    // With its record, or by a clock that jumps while no process watches, the count may be lost.
    const isCounted = !this.canForget && !this.world.hasJumped
    const tooMany = isCounted ? tooManyReads(this.cometchat) : []
    return [...this.#broken, ...brokenPromises(this.cometchat, this.attempts), ...tooMany]
  }

  /** Does nothing where the store cannot forget. */
  forget(): void {
    this.#shared.forget?.()
  }

  get canForget(): boolean {
    return this.#shared.forget !== undefined || this.#shared.forgetsByClock === true
  }

  close(): Promise<void> {
    return this.#shared.close()
  }

  #watchLease(lease: 'begins' | 'runs'): void {
    const { nowMs, hasJumpedBack } = this.world
    if (lease === 'begins') {
      this.#leaseEndsAtMs = nowMs + LEASE_MS
      this.#looksLeasedSinceMs = Number.POSITIVE_INFINITY
    } else if (nowMs >= this.#leaseEndsAtMs) {
      this.#looksLeasedSinceMs = Math.min(this.#looksLeasedSinceMs, nowMs)
      // Dated before a jump back, a lease that is over may look like one that runs, for as long as one can run.
      const isLocked = !hasJumpedBack || nowMs - this.#looksLeasedSinceMs > LEASE_MS + CLOCK_TOLERANCE_MS
      if (isLocked) this.#broken.push('a record is locked although its lease is over')
    }
  }

  readonly #receiverOf: DeliveryOptions['receiverOf'] = Object.assign(
    async () => {
      if (this.#decisions.happens(this.flaws.perThousand / 4))
        throw new AppError('upstream-unreachable', 'Not read.', { reason: 'unreachable' })
      return RECEIVER
    },
    { known: () => ((this.#options.knowsReceiver ?? this.#decisions.pick([true, false])) ? RECEIVER : undefined) }
  )
}

/** An answer after which a client that keeps the rule does not send again. */
export function isFinal({ verdict, code }: Answer): boolean {
  return verdict === 'sent' || FINAL.has(code)
}
