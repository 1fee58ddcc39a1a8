// The one place that writes RateLimit and RateLimit-Policy. The names of their parameters still change from draft to
// draft; these are those of draft-ietf-httpapi-ratelimit-headers-10.

import type { LimitPolicy } from '../errors.ts'

/** How a caller stands with a policy. */
export interface PolicyState {
  readonly policy: LimitPolicy
  /** Units in any minute. */
  readonly limit: number
  readonly remaining: number
  /** When there is more of it; 0 where all of it is there. */
  readonly nextInMs: number
}

export interface RateLimitFields {
  readonly policy: string
  readonly limit: string
}

const WINDOW_SECONDS = 60

/** The values of both fields: Lists of Structured Fields (RFC 9651), one item for each policy. */
export function rateLimitFields(states: readonly PolicyState[]): RateLimitFields {
  let [policy, limit] = ['', '']
  for (const state of states) {
    policy += (policy === '' ? '' : ', ') + policyItem(state)
    limit += (limit === '' ? '' : ', ') + limitItem(state)
  }
  return { policy, limit }
}

function policyItem({ policy, limit }: PolicyState): string {
  return `"${policy}";q=${limit};w=${WINDOW_SECONDS}`
}

/** Without a time where nothing is used: there is nothing to wait for. */
function limitItem({ policy, remaining, nextInMs }: PolicyState): string {
  const left = `"${policy}";r=${Math.max(0, Math.floor(remaining))}`
  return nextInMs > 0 ? `${left};t=${Math.ceil(nextInMs / 1000)}` : left
}
