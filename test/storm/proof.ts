import { QUIET_MS } from './run-storm.ts'

/**
 * Half of the quiet period: what CometChat, which lives in the process of the storm, was kept from doing counts once more where a
 * request waits for it and again where its answer does.
 */
const MOST_LAG_MS = QUIET_MS / 2

interface Storm {
  readonly lagMs: number
}

/**
 * What CometChat does later than the quiet period may be doubled, and told wrongly. Where this machine kept it from working for
 * nearly so long, a storm proves nothing.
 */
export function isProof({ lagMs }: Storm): boolean {
  return lagMs < MOST_LAG_MS
}

export function hasProved(storm: Storm): { skip?: string } {
  if (isProof(storm)) return {}
  return { skip: `a busy machine kept CometChat from working for ${storm.lagMs} ms: a storm proves nothing there` }
}
