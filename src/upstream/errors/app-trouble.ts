import type { Clock } from '../../lib/clock.ts'
import { createHourly } from '../../lib/hourly.ts'
import type { Emit } from '../../observability/events.ts'
import type { CallResult } from '../transport/call-result.ts'

/** What CometChat holds against the app itself: the operator's trouble, not a caller's. */
export interface AppTrouble {
  /** Told of the result of every exchange. */
  readonly note: (result: CallResult) => void
  /** For `/readyz?verbose`; empty again after the next good answer. */
  warnings(): readonly string[]
}

/** Alarms at most once an hour for each code. Nothing here refuses a call: the next one may be answered. */
export function createAppTrouble(emit: Emit, clock: Pick<Clock, 'monotonic'>): AppTrouble {
  const isDue = createHourly(() => clock.monotonic())
  const codes = new Set<string>()
  return {
    note({ outcome, refusal }) {
      if (refusal?.kind === 'app') {
        codes.add(refusal.errorCode)
        tell('upstream-misconfigured', refusal.errorCode)
      } else if (refusal?.kind === 'feature') tell('upstream-feature-refused', refusal.errorCode)
      else if (codes.size > 0 && outcome.kind === 'answer' && outcome.status < 300) codes.clear()
    },
    warnings: () => Array.from(codes, code => `cometchat-misconfigured: ${code}`)
  }

  function tell(alarm: 'upstream-misconfigured' | 'upstream-feature-refused', upstreamCode: string): void {
    const times = isDue(upstreamCode)
    if (times !== undefined) emit({ name: 'alarm', alarm, upstreamCode, times })
  }
}
