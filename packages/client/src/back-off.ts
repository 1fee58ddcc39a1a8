import type { Problem } from './problems.ts'

// The figures of AWS's SDKs from November 2026 on: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html,
// https://aws.amazon.com/blogs/developer/announcing-updated-retry-behavior-for-aws-sdks-and-tools/. Theirs give up after three
// attempts; a reply waits, and one that finds the budget empty waits for as long as a wait may be.
const BASE_MS = 50
const THROTTLED_BASE_MS = 1000
const LONGEST_MS = 20_000
const BUDGET = 500
const COST = 14
const THROTTLED_COST = 5
const THROTTLED = /^(rate-limited|overloaded)$/

export interface BackOff {
  /** How long to wait after so many tries, in milliseconds: full jitter, and never less than the service asked for. */
  waitMs(problem: Problem, tries: number): number
  /** Gives back what the last retry cost; a first try that succeeds, one. */
  onSuccess(tries: number): void
}

export function createBackOff(random: () => number): BackOff {
  let budget = BUDGET
  return {
    waitMs({ code, retryAfterMs = 0 }, tries) {
      const isThrottled = THROTTLED.test(code)
      const cost = isThrottled ? THROTTLED_COST : COST
      if (budget < cost) return retryAfterMs + Math.ceil(LONGEST_MS * (1 + random()))
      budget -= cost
      const mostMs = Math.min(LONGEST_MS, (isThrottled ? THROTTLED_BASE_MS : BASE_MS) * 2 ** tries)
      return retryAfterMs + Math.ceil(random() * mostMs)
    },
    onSuccess(tries) {
      budget = Math.min(BUDGET, budget + (tries > 0 ? COST : 1))
    }
  }
}
