// Clients that keep the one rule, processes that die and stop, a network that loses words; then peace, and a verdict.
import type { Attempt } from './attempt.ts'
import { Decisions } from './decisions.ts'
import { isFinal, QUIET_MS, Stage, type StageOptions } from './stage.ts'
import { type Process, World } from './world.ts'

export interface Verdict {
  readonly broken: readonly string[]
  readonly trace: readonly string[]
  readonly attempts: number
  readonly posts: number
  readonly kills: number
}

interface Client {
  readonly text: string
  wakesAtMs: number
  attemptsLeft: number
  attempt?: Attempt
}

const ACTIONS = [
  'next',
  'any',
  'next',
  'any',
  'send',
  'next',
  'any',
  'wait',
  'next',
  'any',
  'kill',
  'stop',
  'next',
  'leave',
  'any',
  'jump'
] as const
/** An hour, ten minutes, a day, three days, a minute. */
const JUMPS_MS = [-3_600_000, 600_000, -600_000, 86_400_000, -86_400_000, 259_200_000, 60_000] as const
const MAX_ACTIONS = 600
const FLAWS_PER_THOUSAND = 120

/** Plays one scenario to its end and says which promises it broke. */
export async function play(numbers: readonly number[], options: StageOptions): Promise<Verdict> {
  const decisions = new Decisions(numbers)
  const stage = await Stage.open(new World(), decisions, options)
  try {
    const processes: [Process, Process] = [await stage.startProcess('A'), await stage.startProcess('B')]
    return await new Scenario(stage, decisions, processes).run()
  } finally {
    await stage.close()
  }
}

class Scenario {
  readonly #stage: Stage
  readonly #world: World
  readonly #decisions: Decisions
  readonly #clients: readonly Client[]
  readonly #processes: [Process, Process]
  #kills = 0

  constructor(stage: Stage, decisions: Decisions, processes: [Process, Process]) {
    this.#stage = stage
    this.#world = stage.world
    this.#decisions = decisions
    // With its record a key loses the body it belongs to: who reuses a key then gets the reply that was sent first.
    const texts = ['hello', 'hello', ...decisions.pick([[], stage.canForget ? [] : ['another reply']])]
    this.#clients = texts.map(text => ({ text, wakesAtMs: 0, attemptsLeft: 6 }))
    this.#processes = processes
  }

  async run(): Promise<Verdict> {
    const stage = this.#stage
    await this.#prepare()
    stage.flaws.perThousand = FLAWS_PER_THOUSAND
    for (let action = 0; action < MAX_ACTIONS && this.#decisions.areLeft; action++) await this.#act()
    for (const process of this.#processes) process.stoppedUntilMs = 0
    await stage.converge()
    const { length: attempts } = stage.attempts
    const { length: posts } = stage.cometchat.ledger
    return { broken: stage.broken(), trace: this.#world.trace, attempts, posts, kills: this.#kills }
  }

  /** Half of the scenarios begin where it is hardest: after an attempt of which nobody knows. */
  async #prepare(): Promise<void> {
    const beginning = this.#decisions.pick(['fresh', 'lost', 'fresh', 'late', 'long lost'])
    if (beginning === 'fresh') return
    const fate = beginning === 'late' ? 'commits after the connection died' : 'does not commit, and the connection dies'
    this.#stage.cometchat.script.push(fate)
    this.#stage.begin('hello', this.#processes[0])
    await this.#stage.takeSteps()
    if (beginning === 'long lost') this.#world.advance(QUIET_MS)
  }

  async #act(): Promise<void> {
    this.#hear()
    const process = this.#decisions.pick(this.#processes)
    switch (this.#decisions.pick(ACTIONS)) {
      case 'next':
        return this.#next()
      case 'any':
        return this.#any()
      case 'send':
        this.#send()
        return
      case 'wait':
        return this.#world.advance(this.#decisions.pick([100, 1000, 9000, 15_000, 60_000, QUIET_MS]))
      case 'kill':
        return this.#kill(process)
      case 'stop':
        process.stoppedUntilMs = this.#world.nowMs + this.#decisions.pick([16_000, 140_000, 300_000])
        return this.#world.note(`${process.name} is stopped`)
      case 'leave':
        for (const { attempt } of this.#clients) if (attempt && this.#decisions.happens(500)) attempt.isWaiting = false
        return
      case 'jump':
        if (this.#decisions.happens(500)) return this.#stage.forget()
        return this.#world.jump(this.#decisions.pick(JUMPS_MS))
    }
  }

  /** The oldest thing that can happen; else the time until something can. */
  async #next(): Promise<void> {
    const world = this.#world
    const [step] = world.ready()
    if (step) return world.take(step)
    if (this.#send()) return
    const sleepers = this.#clients.filter(({ attempt, attemptsLeft }) => !attempt && attemptsLeft > 0)
    const instants = [world.nextInstantMs() ?? Number.POSITIVE_INFINITY, ...sleepers.map(({ wakesAtMs }) => wakesAtMs)]
    const instantMs = Math.min(...instants)
    if (Number.isFinite(instantMs)) world.advance(Math.max(0, instantMs - world.nowMs))
  }

  #any(): Promise<void> {
    const [first, ...others] = this.#world.ready()
    return first ? this.#world.take(this.#decisions.pick([first, ...others])) : this.#next()
  }

  /** The first client that wants to sends its reply, the first time or again. */
  #send(): boolean {
    const client = this.#clients.find(
      ({ attempt, attemptsLeft, wakesAtMs }) => !attempt && attemptsLeft > 0 && wakesAtMs <= this.#world.nowMs
    )
    if (!client) return false
    client.attemptsLeft--
    client.attempt = this.#stage.begin(client.text, this.#decisions.pick(this.#processes))
    return true
  }

  async #kill(process: Process): Promise<void> {
    if (!this.#decisions.happens(400)) return
    this.#kills++
    this.#world.kill(process, this.#decisions.happens(500))
    this.#processes[process === this.#processes[0] ? 0 : 1] = await this.#stage.startProcess(`${process.name}'`)
  }

  /** Clients hear their answers, or that the connection is gone, and do as the rule says. */
  #hear(): void {
    for (const client of this.#clients) {
      const { attempt } = client
      if (!attempt) continue
      const isGone = !attempt.process.isAlive || !attempt.isWaiting
      if (!attempt.answer && !isGone) continue
      delete client.attempt
      if (attempt.answer && isFinal(attempt.answer)) client.attemptsLeft = 0
      const { retryAfterMs = 1000 } = attempt.answer ?? {}
      client.wakesAtMs = this.#world.nowMs + this.#decisions.pick([retryAfterMs, 0, 500, 16_000, 130_000])
    }
  }
}
