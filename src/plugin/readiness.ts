/** What `/readyz` says: why there should be no calls, and what an operator should look at all the same. */
export interface Readiness {
  readonly reasons: readonly string[]
  readonly warnings: readonly string[]
  /** A line for each limit. */
  readonly limits?: readonly string[]
}
