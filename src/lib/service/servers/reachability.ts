import { createDeferred } from '../../node20/deferred.ts'
import type { StoreError } from '../store-error.ts'

export interface ReachabilityOptions {
  /** After which a start goes on without the server. */
  readonly openingMs: number
  /** Told whenever the server turns from reachable to not, and back; the reason is a word such as ECONNREFUSED. */
  readonly onChange?: ((isReachable: boolean, reason: string) => void) | undefined
  /** Told once of each reason why the server cannot be used that an operator can do something about. */
  readonly onTrouble?: ((sentence: string) => void) | undefined
}

/** Whether a server can be used, as its operator is told: each change once. */
export class Reachability {
  readonly #options: ReachabilityOptions
  readonly #opening = createDeferred<void>()
  #isOpening = true
  #isClosed = false
  /** What the operator was told last. */
  #told = 'up'
  /** A word that says what is wrong; a message may repeat what was sent. */
  reason = 'no answer'

  constructor(options: ReachabilityOptions) {
    this.#options = options
  }

  get isOpening(): boolean {
    return this.#isOpening
  }

  /** Resolves when it is clear whether the server is there; rejects with a StoreError where it must not be used. */
  async open(begin: () => void): Promise<void> {
    const patience = setTimeout(() => this.tell(false), this.#options.openingMs)
    begin()
    try {
      await this.#opening.promise
    } finally {
      this.#isOpening = false
      clearTimeout(patience)
    }
  }

  /** Nothing is told after that. */
  close(): void {
    this.#isClosed = true
  }

  tell(isReachable: boolean): void {
    const isNews = isReachable ? this.#told !== 'up' : this.#told === 'up'
    if (isNews && !this.#isClosed) {
      this.#told = isReachable ? 'up' : 'down'
      this.#options.onChange?.(isReachable, this.reason)
    }
    this.#opening.resolve()
  }

  /** It cannot be used at the moment, and a start goes on without it. */
  tellTrouble(sentence: string): void {
    if (this.#told !== sentence && !this.#isClosed) {
      this.#told = sentence
      this.#options.onTrouble?.(sentence)
    }
    this.#opening.resolve()
  }

  /** It must not be used as it is, and ends a start. */
  refuse(refusal: StoreError): void {
    this.#opening.reject(refusal)
    // Who opens it says so.
    if (this.#isOpening) this.#told = refusal.message
    else this.tellTrouble(refusal.message)
  }
}
