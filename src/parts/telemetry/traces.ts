// Traces as a part: the SDK is loaded where spans are sent, and nowhere else.
import cluster from 'node:cluster'
import type { Config } from '../../config/load-config.ts'
import type { Clock } from '../../lib/clock.ts'
import { createHourly } from '../../lib/hourly.ts'
import { VERSION } from '../../lib/service/version.ts'
import type { Tripwire } from '../../lib/tripwire/tripwire.ts'
import type { Emit, RequestTrace, ServiceEvent } from '../../observability/events.ts'
import type { Part } from '../part.ts'

export interface Traces extends Part {
  /** `traceparent` is a valid one of the caller's. */
  begin(method: string, route: string | undefined, traceparent: string | undefined): RequestTrace
  onEvent(event: ServiceEvent): void
}

interface TracesParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly emit: Emit
  readonly tripwire: Pick<Tripwire, 'cut'>
}

/** Undefined where spans go nowhere. */
export async function openTraces(
  { traces, cometchat, instance, proxy }: Config,
  { clock, emit, tripwire }: TracesParts
): Promise<Traces | undefined> {
  if (!traces) return undefined
  const { startTracer } = await import('../../observability/traces/tracer.ts')
  const { RequestSpans } = await import('../../observability/traces/request-spans.ts')
  const isDue = createHourly(() => clock.monotonic())
  let lost = 0
  const { url, trust, serviceName, headers } = traces
  const { protocol, host, hostname, port } = new URL(url)
  const running = await startTracer({
    ...traces,
    headers: Object.fromEntries(Array.from(headers, ([name, value]) => [name, value.reveal()])),
    resource: {
      'service.version': VERSION,
      'service.instance.id': cluster.worker ? `${instance}-${cluster.worker.id}` : instance,
      ...traces.resource,
      'service.name': serviceName
    },
    proxy: proxy?.proxyFor({ protocol, host: port === '' ? `${hostname}:${protocol === 'https:' ? 443 : 80}` : host }),
    cut: text => tripwire.cut(text, 'traces'),
    onUnsent(spans, reason) {
      lost += spans
      if (isDue('spans-unsent') === undefined) return
      emit({ name: 'spans-unsent', reason, spans: lost })
      lost = 0
    }
  })
  const spans = new RequestSpans({
    tracer: running.tracer,
    trust,
    upstream: new URL(cometchat.origin),
    monotonic: () => clock.monotonic()
  })
  return {
    begin: (method, route, traceparent) => spans.begin(method, route, traceparent),
    onEvent(event) {
      if (event.name === 'key-fetch') spans.noteFetch(event)
    },
    health: [],
    close: () => running.close()
  }
}
