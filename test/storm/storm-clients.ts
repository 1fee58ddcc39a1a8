// Clients that keep the one rule: the same key for the same reply, while an answer says that it may be sent again.
import { tokenFor } from '../helpers/tokens.ts'
import type { Judge } from './judge.ts'
import { type SentReply, sendOnce } from './send-once.ts'
import { sleep } from './sleep.ts'

/** Instances that share their records. */
export interface Place {
  readonly name: string
  /** Of those that listen now. */
  readonly urls: () => readonly string[]
}

export interface StormClientsOptions {
  readonly places: readonly Place[]
  readonly judge: Judge
  /** The parent message of each user's thread. */
  readonly parents: ReadonlyMap<string, string>
  readonly random: () => number
  readonly replies: number
  /** Whether a reply that was lost in this thread may stay unknown for good. */
  readonly staysUnknown: (parent: string) => boolean
  /** Aborted when no more replies are begun. */
  readonly calm: AbortSignal
  /** Aborted when nobody tries any more. */
  readonly over: AbortSignal
}

const IMPATIENT = 0.1
const TWO_TABS = 0.05
const CURIOUS = 0.05
const TOKEN_AGE_MS = 300_000

export class StormClients {
  readonly #options: StormClientsOptions
  readonly #tokens = new Map<string, { readonly token: Promise<string>; readonly madeAtMs: number }>()
  #begun = 0

  constructor(options: StormClientsOptions) {
    this.#options = options
  }

  /** So many clients for each place, each with one reply after the other. */
  async run(clients: number): Promise<void> {
    const { places } = this.#options
    const all = places.flatMap(place => Array.from({ length: clients }, () => this.#client(place)))
    await Promise.all(all)
  }

  async #client(place: Place): Promise<void> {
    const { calm, replies, parents, random } = this.#options
    const users = [...parents]
    while (!calm.aborted && this.#begun < replies) {
      const number = ++this.#begun
      const [user, parent] = users[Math.floor(random() * users.length)] ?? ['', '']
      const reply = { place, user, parent, key: `${place.name}-${number}`, text: `${place.name} ${number}` }
      const tabs = random() < TWO_TABS ? 2 : 1
      await Promise.all(Array.from({ length: tabs }, () => this.#deliver(reply)))
      if (random() < CURIOUS) await this.#deliver(reply)
    }
  }

  async #deliver(reply: StormReply): Promise<void> {
    const { judge, calm, over, random, staysUnknown } = this.#options
    const { text, parent } = reply
    judge.begins(text)
    while (!over.aborted) {
      const existed = judge.exists(text)
      const answer = await this.#try(reply)
      if (answer) judge.hears(text, answer, existed)
      if (answer && !answer.retryable) return
      if (calm.aborted && answer?.code === 'idempotency-in-flight' && staysUnknown(parent)) return
      await sleep(answer?.retryAfterMs ?? 50 + random() * 200, over)
    }
  }

  /** Undefined when there was nobody to ask. */
  async #try({ place, user, parent, key, text }: StormReply): Promise<SentReply | undefined> {
    const { random, over } = this.#options
    const urls = place.urls()
    const url = urls[Math.floor(random() * urls.length)]
    if (url === undefined) return undefined
    const token = await this.#tokenOf(user)
    const patienceMs = random() < IMPATIENT ? Math.ceil(random() * 300) : 3000
    const signal = AbortSignal.any([over, AbortSignal.timeout(patienceMs)])
    return sendOnce(`${url}/threads/${parent}/replies`, token, key, { data: { text } }, signal)
  }

  #tokenOf(user: string): Promise<string> {
    const known = this.#tokens.get(user)
    if (known && performance.now() - known.madeAtMs < TOKEN_AGE_MS) return known.token
    const token = tokenFor(user)
    this.#tokens.set(user, { token, madeAtMs: performance.now() })
    return token
  }
}

interface StormReply {
  readonly place: Place
  readonly user: string
  readonly parent: string
  readonly key: string
  readonly text: string
}
