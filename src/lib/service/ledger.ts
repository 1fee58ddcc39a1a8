/** Who holds how much of something of which there is so much. */
export interface Ledger {
  /**
   * Books an amount for a holder, or nothing at all where it would be too much: for all of them together, or for this one,
   * who gets at most an eighth. Undefined is a holder of whom that does not hold.
   */
  book(holder: string | undefined, amount: number): boolean
  /** Gives back what was booked. */
  free(holder: string | undefined, amount: number): void
  readonly held: number
}

const SHARE = 8

export function createLedger(total: number): Ledger {
  const byHolder = new Map<string, number>()
  const most = Math.max(1, Math.floor(total / SHARE))
  let held = 0

  return {
    get held() {
      return held
    },
    book(holder, amount) {
      if (held + amount > total) return false
      if (holder !== undefined) {
        const own = (byHolder.get(holder) ?? 0) + amount
        if (own > most) return false
        byHolder.set(holder, own)
      }
      held += amount
      return true
    },
    free(holder, amount) {
      held -= amount
      if (holder === undefined) return
      const own = (byHolder.get(holder) ?? 0) - amount
      if (own > 0) byHolder.set(holder, own)
      else byHolder.delete(holder)
    }
  }
}
