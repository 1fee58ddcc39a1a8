import type { Emit, SecretExit, ServiceEvent, StoreKind, StoreTransition, UpstreamCall } from '../events.ts'
import { type Family, gauge } from './family.ts'
import { Counter, Histogram, HTTP_SECONDS, Label } from './instruments.ts'

export interface EventMetricsOptions {
  readonly store: StoreKind
  /** The members of a message that CometChat may describe in another way: a closed list. */
  readonly describedMembers: readonly string[]
}

type AlarmName = Extract<ServiceEvent, { readonly name: 'alarm' }>['alarm'] | 'key-file' | 'issuers-file'

/** Complete by its type. */
const ALARMS: Readonly<Record<AlarmName, true>> = {
  'upstream-credentials': true,
  'upstream-untrusted': true,
  'upstream-mismatch': true,
  'key-echoed': true,
  'secret-leak': true,
  'upstream-misconfigured': true,
  'upstream-feature-refused': true,
  'uid-shared': true,
  'uid-taken': true,
  'audit-unwritable': true,
  'sdk-token-left': true,
  'key-file': true,
  'issuers-file': true
}
const CALLS: Readonly<Record<UpstreamCall, { readonly method: string; readonly path: string }>> = {
  'POST /messages/{id}/thread': { method: 'POST', path: '/messages/{id}/thread' },
  'GET /messages/{id}/thread': { method: 'GET', path: '/messages/{id}/thread' },
  'GET /messages/{id}': { method: 'GET', path: '/messages/{id}' },
  'PUT /messages/{id}': { method: 'PUT', path: '/messages/{id}' },
  'DELETE /messages/{id}': { method: 'DELETE', path: '/messages/{id}' },
  'GET /users/{uid}': { method: 'GET', path: '/users/{uid}' },
  'POST /users': { method: 'POST', path: '/users' },
  'POST /users/{uid}/auth_tokens': { method: 'POST', path: '/users/{uid}/auth_tokens' },
  'DELETE /users/{uid}/auth_tokens/{authToken}': { method: 'DELETE', path: '/users/{uid}/auth_tokens/{authToken}' }
}
const TRANSITIONS: Readonly<Record<StoreTransition, true>> = {
  acquire: true,
  'mark-sent': true,
  confirm: true,
  'mark-in-doubt': true,
  'take-over': true,
  complete: true,
  release: true,
  'note-search': true
}
const EXITS: Readonly<Record<SecretExit, true>> = { answer: true, log: true, audit: true, traces: true, metrics: true }
const FAILURES = ['unreachable', 'untrusted', 'overloaded', 'deadline', 'reset', 'unreadable', 'client-closed']
/** Those that CometChat, or a proxy before it, has been seen or is documented to answer with. */
const STATUSES = [
  ...[200, 201, 202, 204, 301, 302, 303, 304, 307, 308],
  ...[400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413, 415, 421, 422, 425, 426, 429, 431, 451],
  ...[500, 501, 502, 503, 504, 507, 511, 520, 521, 522, 523, 524, 525, 526, 530]
].map(String)
const ERRORS = [...FAILURES, ...STATUSES.filter(status => Number(status) >= 400)]
const QUEUE_SECONDS = [0.001, ...HTTP_SECONDS]
const STORE_SECONDS = [0.0005, 0.001, 0.0025, ...HTTP_SECONDS.filter(bound => bound <= 2.5)]
const CLAIMS = ['new', 'replayed', 'in-flight', 'in-doubt', 'reused', 'unavailable']

/** Counts what the parts of the service say; a subscriber, like the log. */
export class EventMetrics {
  readonly #calls = new Histogram({
    name: 'http_client_request_duration_seconds',
    help: 'How long calls to CometChat took, from their turn to their end.',
    bounds: HTTP_SECONDS,
    labels: [
      new Label('http_request_method', ['GET', 'POST']),
      new Label('url_template', [...new Set(Object.values(CALLS).map(({ path }) => path))]),
      new Label('http_response_status_code', STATUSES),
      new Label('error_type', ERRORS)
    ]
  })
  readonly #queue = new Histogram({
    name: 'upstream_queue_seconds',
    help: 'How long calls to CometChat waited for their turn.',
    bounds: QUEUE_SECONDS,
    labels: []
  })
  readonly #transitions: Histogram
  readonly #failedTransitions: Counter
  readonly #claims = counterOf('idempotency_results_total', 'What the record of an Idempotency-Key said.', [
    'result',
    CLAIMS
  ])
  readonly #keyFetches = counterOf('jwks_fetches_total', 'How often key sets were asked for.', [
    'result',
    ['ok', 'failed']
  ])
  readonly #alarms = counterOf('alarms_total', 'Lines with the message alarm in the log.', [
    'alarm',
    Object.keys(ALARMS)
  ])
  readonly #stopped = counterOf('secrets_stopped_total', 'Secrets that were about to leave and were cut out.', [
    'exit',
    Object.keys(EXITS)
  ])
  readonly #recoveries: Counter
  readonly #deviations: Counter
  readonly #store: StoreKind
  #areReplicasMissing = false

  constructor({ store, describedMembers }: EventMetricsOptions) {
    this.#store = store
    const transitions = Object.keys(TRANSITIONS)
    const labels = [new Label('store', [store]), new Label('transition', transitions)] as const
    this.#transitions = new Histogram({
      name: 'store_transition_duration_seconds',
      help: 'How long transitions of delivery records took.',
      bounds: STORE_SECONDS,
      labels
    })
    this.#failedTransitions = new Counter({
      name: 'store_transition_failures_total',
      help: 'Transitions of delivery records that failed: they may or may not have happened.',
      labels,
      known: transitions.map(transition => [store, transition])
    })
    this.#recoveries = counterOf('store_recoveries_total', 'Times at which records were lost or may have been.', [
      'store',
      [store]
    ])
    this.#deviations = counterOf(
      'upstream_deviations_total',
      'Members that CometChat described otherwise than documented.',
      ['member', describedMembers]
    )
  }

  readonly note: Emit = event => {
    switch (event.name) {
      case 'upstream-attempt':
        return this.#noteAttempt(event)
      case 'store-transition':
        this.#transitions.observe(event.durationMs / 1000, event.store, event.transition)
        if (event.isFailed) this.#failedTransitions.add(1, event.store, event.transition)
        return
      case 'key-claim':
        return this.#claims.add(1, event.result)
      case 'key-fetch':
        return this.#keyFetches.add(1, event.result === 'ok' ? 'ok' : 'failed')
      case 'store-recovering':
        if (event.restMs !== undefined) this.#recoveries.add(1, this.#store)
        return
      case 'store-replicas':
        this.#areReplicasMissing = !event.areEnough
        return
      case 'upstream-deviation':
        return this.#deviations.add(event.times, event.member)
      case 'secret-stopped':
        return this.#stopped.add(1, event.exit)
      default: {
        const alarm = alarmOf(event)
        if (alarm !== undefined) this.#alarms.add(1, alarm)
      }
    }
  }

  families(): Family[] {
    const histograms = [this.#calls, this.#queue, this.#transitions]
    const others = [this.#keyFetches, this.#alarms, this.#stopped, this.#recoveries, this.#deviations]
    const counters = [this.#failedTransitions, this.#claims, ...others]
    return [
      ...[...histograms, ...counters].map(metric => metric.family()),
      gauge(
        'store_replicas_missing',
        'Whether fewer replicas than STORE_WAIT_REPLICAS confirm records.',
        this.#areReplicasMissing ? 1 : 0
      )
    ]
  }

  #noteAttempt({
    call,
    queueMs,
    durationMs,
    status,
    cause
  }: Extract<ServiceEvent, { readonly name: 'upstream-attempt' }>): void {
    this.#queue.observe(queueMs / 1000)
    if (durationMs === undefined) return
    const { method, path } = CALLS[call]
    const answered = status === undefined ? undefined : String(status)
    const error = status !== undefined && status >= 400 ? answered : cause
    this.#calls.observe(durationMs / 1000, method, path, answered, error)
  }
}

function counterOf(name: string, help: string, [label, values]: readonly [string, readonly string[]]): Counter {
  return new Counter({ name, help, labels: [new Label(label, values)], known: values.map(value => [value]) })
}

/** The name of the line `alarm` that an event is in the log, if it is one. */
function alarmOf(event: ServiceEvent): AlarmName | undefined {
  if (event.name === 'alarm') return event.alarm
  if (event.name === 'key-file-changed' && event.problem !== undefined) return 'key-file'
  return event.name === 'issuers-changed' && event.problem !== undefined ? 'issuers-file' : undefined
}
