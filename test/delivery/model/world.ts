// Virtual time and an explicit order of steps: what several processes, a store and a network do to each other, one
// step at a time, so that any interleaving can be had, and had again.
import type { RecordStore } from '../../../src/delivery/record.ts'
import type { Clock } from '../../../src/lib/clock.ts'

/** One instance of the service, which can be killed, or stopped as by SIGSTOP. */
export interface Process {
  readonly name: string
  /** What its monotonic clock counts from. */
  readonly bootedAtMs: number
  isAlive: boolean
  stoppedUntilMs: number
}

export interface Step {
  readonly label: string
  /** Who asked for it. */
  readonly process: Process
  /** `inside` ends or waits with the process; `outside`, on the network, goes its own way. */
  readonly place: 'inside' | 'outside'
  readonly notBeforeMs: number
  readonly run: () => Promise<void> | void
}

/** Records that several processes share. */
export interface SharedStore {
  connect(process: Process): Promise<RecordStore> | RecordStore
  /** Forgets everything, as after a failover, and knows that it may have. */
  forget?(): void
  /** A jump ahead of its clock makes it forget what has not expired. */
  readonly forgetsByClock?: true
  close(): Promise<void>
}

const BEGINNING_MS = 1_000_000

export class World {
  nowMs = BEGINNING_MS
  /** How far the wall clock is ahead of the time of this world. */
  wallOffsetMs = Date.UTC(2026, 10, 21)
  hasJumped = false
  hasJumpedBack = false
  /** Told of every jump: whoever watches that clock notices it within seconds. */
  readonly onJump: (() => Promise<void>)[] = []
  /** Counts steps, to tell what came first. */
  sequence = 0
  readonly trace: string[] = []
  #steps: Step[] = []
  #commits: { readonly dueMs: number; readonly run: () => void }[] = []

  clock({ bootedAtMs }: Pick<Process, 'bootedAtMs'>): Clock {
    return {
      now: () => this.nowMs + this.wallOffsetMs,
      monotonic: () => this.nowMs - bootedAtMs,
      sleep: () => Promise.reject(new Error('nothing here sleeps'))
    }
  }

  add(step: Omit<Step, 'notBeforeMs'> & { readonly notBeforeMs?: number }): void {
    if (step.process.isAlive) this.#steps.push({ notBeforeMs: 0, ...step })
  }

  /** CometChat commits something at exactly this instant, whatever else is going on. */
  commitAt(dueMs: number, run: () => void): void {
    this.#commits.push({ dueMs, run })
  }

  /** Steps that could be next, oldest first. */
  ready(): Step[] {
    return this.#steps.filter(step => this.#readyAtMs(step) <= this.nowMs)
  }

  /** When something that waits can go on; undefined when nothing waits. */
  nextInstantMs(): number | undefined {
    const instants = [...this.#steps.map(step => this.#readyAtMs(step)), ...this.#commits.map(({ dueMs }) => dueMs)]
    return instants.length === 0 ? undefined : Math.min(...instants)
  }

  /** Takes one step and lets everything that follows from it come to its next one. */
  async take(step: Step): Promise<void> {
    this.commitDue()
    this.#steps = this.#steps.filter(one => one !== step)
    this.sequence++
    this.note(step.label)
    await step.run()
    await settled()
  }

  /** Takes every step there is, oldest first, moving on in time where all of them wait. */
  async drain(): Promise<void> {
    for (;;) {
      const [step] = this.ready()
      const instantMs = this.nextInstantMs()
      if (step) await this.take(step)
      else if (instantMs === undefined) return
      else this.advance(Math.max(0, instantMs - this.nowMs))
    }
  }

  /** What the process would have done never happens; what it had asked of the network may, or may be lost too. */
  kill(process: Process, losesItsWords: boolean): void {
    process.isAlive = false
    this.note(`${process.name} is killed`)
    this.#steps = this.#steps.filter(step => step.process !== process || (step.place === 'outside' && !losesItsWords))
  }

  advance(ms: number): void {
    this.nowMs += ms
    this.commitDue()
  }

  async jump(ms: number): Promise<void> {
    this.wallOffsetMs += ms
    this.hasJumped = true
    this.hasJumpedBack ||= ms < 0
    this.note(`the wall clock jumps by ${ms / 1000} s`)
    for (const notice of this.onJump) await notice()
  }

  commitDue(): void {
    const due = this.#commits.filter(({ dueMs }) => dueMs <= this.nowMs).sort((a, b) => a.dueMs - b.dueMs)
    this.#commits = this.#commits.filter(({ dueMs }) => dueMs > this.nowMs)
    for (const { run } of due) run()
  }

  note(text: string): void {
    this.trace.push(`${((this.nowMs - BEGINNING_MS) / 1000).toFixed(1)} s  ${text}`)
  }

  #readyAtMs({ place, process, notBeforeMs }: Step): number {
    return place === 'inside' ? Math.max(notBeforeMs, process.stoppedUntilMs) : notBeforeMs
  }
}

/** Every promise that could go on has gone on: microtasks run before the next turn of the event loop. */
function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
