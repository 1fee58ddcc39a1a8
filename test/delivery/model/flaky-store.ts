// A store behind a network: a transition is asked for, happens, and is told of, and each of the three can go wrong.
import type { RecordStore } from '../../../src/delivery/record.ts'
import { wrapStore } from '../wrap-store.ts'
import type { Attempt } from './attempt.ts'
import type { Decisions } from './decisions.ts'
import type { Flaws } from './fake-cometchat.ts'
import type { World } from './world.ts'

const FATES = ['happens', 'happens, and nobody hears', 'does not happen', 'happens when nobody waits any more'] as const

export interface FlakyStoreOptions {
  readonly world: World
  readonly decisions: Decisions
  readonly flaws: Flaws
  /** Told when the record gets an owner, and when somebody finds that it has one. */
  readonly onLease: (lease: 'begins' | 'runs') => void
}

/** The store as one attempt meets it. */
export function flakyStore(store: RecordStore, attempt: Attempt, options: FlakyStoreOptions): RecordStore {
  const link = new Link(attempt, options)
  return wrapStore(store, {
    acquire: async (claim, as = 'pending') => {
      const result = await link.ask(`claims as ${as}`, async () => {
        const acquired = await store.acquire(claim, as)
        if (acquired.kind === 'acquired' || acquired.kind === 'acquired-as-sent') options.onLease('begins')
        if (acquired.kind === 'in-flight') options.onLease('runs')
        return acquired
      })
      attempt.hasRecord = true
      return result
    },
    markSent: (key, owner) => link.ask('marks SENT', () => store.markSent(key, owner)),
    markInDoubt: (key, owner) => link.ask('doubts', () => store.markInDoubt(key, owner)),
    takeOver: (key, previous, claim) =>
      link.ask('reclaims', async () => {
        const isOurs = await store.takeOver(key, previous, claim)
        if (isOurs) options.onLease('begins')
        return isOurs
      }),
    complete: (key, owner, outcome) =>
      link.ask(`finishes: ${outcome.kind}`, async () => store.complete(key, owner, outcome)),
    release: (key, owner, search) => link.ask('releases', async () => store.release(key, owner, search)),
    noteSearch: (key, former, search) => link.ask('notes its search', () => store.noteSearch(key, former, search))
  })
}

class Link {
  readonly #attempt: Attempt
  readonly #options: FlakyStoreOptions

  constructor(attempt: Attempt, options: FlakyStoreOptions) {
    this.#attempt = attempt
    this.#options = options
  }

  ask<T>(what: string, transition: () => Promise<T>): Promise<T> {
    const { world } = this.#options
    const label = `#${this.#attempt.id} ${what}`
    this.#attempt.lastAskedAt = world.sequence
    return new Promise((resolve, reject) => {
      const hear = (how: string, run: () => void): void => this.#add('inside', `${label}: ${how}`, run)
      const answer = async (): Promise<void> => {
        await transition().then(
          result => hear(JSON.stringify(result) ?? 'done', () => resolve(result)),
          (error: unknown) => hear('failed', () => reject(error))
        )
      }
      this.#add('outside', label, () =>
        this.#meetFate(label, { transition, answer, silence: () => hear('', noAnswer) })
      )
      const noAnswer = (): void => reject(new Error('no answer'))
    })
  }

  async #meetFate(label: string, { transition, answer, silence }: Ways): Promise<void> {
    const { world, decisions, flaws } = this.#options
    const fate = decisions.happens(flaws.perThousand) ? decisions.pick(FATES) : 'happens'
    if (fate === 'happens') return answer()
    world.note(`the store: ${fate}`)
    const happen = (): Promise<void> =>
      transition().then(
        () => undefined,
        () => undefined
      )
    if (fate === 'happens, and nobody hears') await happen()
    silence()
    if (fate !== 'happens when nobody waits any more') return
    this.#add('outside', `${label}, late`, happen, world.nowMs + decisions.pick([1, 1000, 16_000, 130_000]))
  }

  #add(place: 'inside' | 'outside', label: string, run: () => Promise<void> | void, notBeforeMs = 0): void {
    this.#options.world.add({ label, process: this.#attempt.process, place, notBeforeMs, run })
  }
}

interface Ways {
  readonly transition: () => Promise<unknown>
  readonly answer: () => Promise<void>
  readonly silence: () => void
}
