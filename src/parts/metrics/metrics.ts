// The metrics of a process, as a part: what counts, and whom a scrape asks.
import { SCHEMES } from '../../auth/caller.ts'
import type { Config } from '../../config/load-config.ts'
import type { Clock } from '../../lib/clock.ts'
import { VERSION } from '../../lib/service/version.ts'
import type { Emit } from '../../observability/events.ts'
import { EventMetrics } from '../../observability/metrics/event-metrics.ts'
import type { Family } from '../../observability/metrics/family.ts'
import { ProcessMetrics } from '../../observability/metrics/process-metrics.ts'
import { RequestMetrics } from '../../observability/metrics/request-metrics.ts'
import { REPLIES_ROUTE } from '../../routes/replies.ts'
import { DESCRIBED_MEMBERS } from '../../upstream/reply-answer.ts'
import type { Part } from '../part.ts'
import { type Asked, gaugesOf } from './gauges.ts'

export interface Metrics extends Part {
  /** Told of every event. */
  readonly subscriber: Emit
  /** Told of every route, and of every request that is answered. */
  readonly requests: Pick<RequestMetrics, 'knowRoute' | 'note'>
  /** Says whom a scrape asks beside what was counted; from now on the event loop is watched. */
  begin(asked: Asked): void
  /** All that there is to say at the moment. */
  families(): readonly Family[]
}

export function createMetrics({ commit, delivery }: Config, clock: Clock, prefix = ''): Metrics {
  const requests = new RequestMetrics({
    repliesRoute: prefix + REPLIES_ROUTE,
    schemes: SCHEMES
  })
  const events = new EventMetrics({ store: delivery.store.kind, describedMembers: DESCRIBED_MEMBERS })
  let begun: { readonly asked: Asked; readonly ofProcess: ProcessMetrics } | undefined
  return {
    subscriber: events.note,
    requests,
    begin(asked) {
      begun = { asked, ofProcess: new ProcessMetrics({ version: VERSION, commit, monotonic: () => clock.monotonic() }) }
    },
    families: () => [
      ...requests.families(),
      ...events.families(),
      ...(begun ? [...gaugesOf(begun.asked), ...begun.ofProcess.families()] : [])
    ],
    health: [],
    close: () => begun?.ofProcess.close()
  }
}
