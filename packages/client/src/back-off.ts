import type { Core } from './core.ts'
import type { Problem } from './problems.ts'

// The figures of AWS's SDKs from November 2026 on: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html,
// https://aws.amazon.com/blogs/developer/announcing-updated-retry-behavior-for-aws-sdks-and-tools/. Theirs give up after three
// attempts; a reply waits, and one that finds the budget empty waits for as long as a wait may be.
const TRANSIENT = { baseMs: 50, cost: 14 }
const THROTTLED = { baseMs: 1000, cost: 5 }
const LONGEST_MS = 20_000
export const BUDGET = 500
/** However long the service, or a gateway, asks to wait: a key is looked at before the service forgets it. */
const LONGEST_FLOOR_MS = 3_000_000

const figuresOf = ({ code }: Problem) => (code === 'rate-limited' || code === 'overloaded' ? THROTTLED : TRANSIENT)

/** What was asked for. */
export const floorMs = ({ retryAfterMs = 0 }: Problem): number => Math.min(LONGEST_FLOOR_MS, retryAfterMs)

/** How long to wait after so many tries, beside what the service asked for, in milliseconds: full jitter. */
export function jitterMs(core: Pick<Core, 'budget' | 'random'>, problem: Problem, tries: number): number {
  const { baseMs, cost } = figuresOf(problem)
  if (core.budget < cost) return LONGEST_MS * (1 + core.random())
  core.budget -= cost
  return core.random() * Math.min(LONGEST_MS, baseMs * 2 ** tries)
}

/** A success gives back what its last retry cost, which `problem` was the reason for; one without a retry, one. */
export function giveBack(core: Pick<Core, 'budget'>, problem: Problem | undefined): void {
  core.budget = Math.min(BUDGET, core.budget + (problem ? figuresOf(problem).cost : 1))
}
