import { LRUCache } from 'lru-cache'

const MAX_NETWORKS = 10_000
/** A client whose token was revoked tries again a few times; a client that guesses does not stop. */
const MAX_REFUSED_IN_A_ROW = 5

/** What the networks sent lately: the issuer is asked about tokens of those with good ones first. */
export class TokenSenders {
  readonly #good = new LRUCache<string, true>({ max: MAX_NETWORKS })
  /** Apart from the good ones: no number of strangers makes them forgotten. */
  readonly #refusedInARow = new LRUCache<string, number>({ max: MAX_NETWORKS })

  /** 0 for a network that good tokens came from, 1 for an unknown one, 2 for one with refused tokens alone of late. */
  rankOf(network: string): number {
    if ((this.#refusedInARow.get(network) ?? 0) >= MAX_REFUSED_IN_A_ROW) return 2
    return this.#good.get(network) ? 0 : 1
  }

  noteGood(network: string): void {
    this.#good.set(network, true)
    this.#refusedInARow.delete(network)
  }

  noteRefused(network: string): void {
    this.#refusedInARow.set(network, (this.#refusedInARow.get(network) ?? 0) + 1)
  }
}
