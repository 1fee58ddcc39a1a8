import { type DeliveryState, PROBLEMS, type ProblemCode } from '../../lib/refusals/problems.ts'
import { CREDENTIAL_REASONS, type Reason } from '../../lib/refusals/reasons.ts'
import type { LogFields } from '../log-fields.ts'
import type { Family } from './family.ts'
import { Counter, Histogram, HTTP_SECONDS, Label } from './instruments.ts'

export interface RequestMetricsOptions {
  /** The address of the route that posts replies. */
  readonly repliesRoute: string
  /** How a caller may prove who they are. */
  readonly schemes: readonly string[]
}

/** RFC 9110 §9, RFC 5789; any other method is told as `_OTHER`, as OpenTelemetry has it. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']
const OTHER_METHOD = '_OTHER'
const NO_ROUTE = 'none'
const CODES = Object.keys(PROBLEMS) as ProblemCode[]
const SUCCESSES = [200, 201, 202, 204, 302, 303, 304]
const STATUSES = [...new Set([...SUCCESSES, ...Object.values(PROBLEMS).map(({ status }) => status)])].map(String)
const DELIVERIES: readonly DeliveryState[] = ['sent', 'not-sent', 'unknown']
/** In the place of a code where nothing went wrong. */
const NO_CODE = 'none'
const ACCEPTED = 'accepted'
/** What verifies the credential could not be asked. */
const UNAVAILABLE = 'unavailable'
const OF_CREDENTIALS: ReadonlySet<string> = new Set(CREDENTIAL_REASONS)
/** The ring of limits that a reason stands for. */
const RINGS = {
  'limit-address': 'door',
  'limit-host': 'door',
  'limit-user': 'quota',
  'limit-service': 'quota',
  'limit-app': 'quota',
  'upstream-queue': 'upstream',
  'upstream-time': 'upstream',
  'upstream-throttle': 'upstream',
  'upstream-breaker': 'upstream',
  'event-loop': 'process',
  connections: 'process',
  memory: 'process',
  cometchat: 'cometchat'
} as const satisfies Partial<Record<Reason, string>>
const RING_OF: ReadonlyMap<string | undefined, string> = new Map(Object.entries(RINGS))

/** Counts requests by what their line in the log says, when it is written. */
export class RequestMetrics {
  readonly #options: RequestMetricsOptions
  readonly #routes = new Label('http_route')
  readonly #methods = new Set(METHODS)
  readonly #durations: Histogram
  readonly #verdicts: Counter
  readonly #reconciliations: Counter
  readonly #auth: Counter
  readonly #refusals: Counter

  constructor(options: RequestMetricsOptions) {
    const { schemes } = options
    this.#options = options
    this.#durations = new Histogram({
      name: 'http_server_request_duration_seconds',
      help: 'How long requests took until they were answered.',
      bounds: HTTP_SECONDS,
      labels: [
        new Label('http_request_method', [...METHODS, OTHER_METHOD]),
        this.#routes,
        new Label('http_response_status_code', STATUSES),
        new Label('error_type', CODES)
      ]
    })
    this.#verdicts = new Counter({
      name: 'reply_verdicts_total',
      help: 'What callers were told about the delivery of a reply.',
      labels: [new Label('delivery', DELIVERIES), new Label('code', [NO_CODE, ...CODES])],
      known: [['sent', NO_CODE], ...CODES.map(code => [PROBLEMS[code].delivery, code] as const)]
    })
    const found = ['found', 'absent', 'unclear']
    this.#reconciliations = new Counter({
      name: 'reply_reconciliations_total',
      help: 'What the search of a thread for a reply in doubt found.',
      labels: [new Label('result', found)],
      known: found.map(result => [result])
    })
    this.#auth = new Counter({
      name: 'auth_results_total',
      help: 'What came of the credential of a request.',
      labels: [new Label('scheme', schemes), new Label('reason', [ACCEPTED, UNAVAILABLE, ...CREDENTIAL_REASONS])],
      known: schemes.map(scheme => [scheme, ACCEPTED])
    })
    const rings = [...new Set(Object.values(RINGS))]
    this.#refusals = new Counter({
      name: 'limit_refusals_total',
      help: 'Requests that a limit refused.',
      labels: [new Label('ring', rings)],
      known: rings.map(ring => [ring])
    })
  }

  /** A route that requests may meet, before the first one does. */
  knowRoute(url: string): void {
    this.#routes.add(url)
  }

  /** A request that is answered. */
  note(facts: LogFields): void {
    const { method = '', route, status, durationMs = 0, code } = facts
    this.#durations.observe(
      durationMs / 1000,
      this.#methods.has(method) ? method : OTHER_METHOD,
      route === NO_ROUTE ? undefined : route,
      String(status),
      code
    )
    const isReply = method === 'POST' && route === this.#options.repliesRoute
    if (isReply && !facts.explained) this.#noteReply(facts)
    this.#noteCredential(facts)
    const ring = RING_OF.get(facts.reason)
    if (ring !== undefined) this.#refusals.add(1, ring)
  }

  families(): Family[] {
    const counters = [this.#verdicts, this.#reconciliations, this.#auth, this.#refusals]
    return [this.#durations.family(), ...counters.map(counter => counter.family())]
  }

  #noteReply({ delivery, code, reconciled }: LogFields): void {
    this.#verdicts.add(1, delivery, code ?? NO_CODE)
    if (reconciled !== undefined) this.#reconciliations.add(1, reconciled)
  }

  #noteCredential({ uid, scheme, triedScheme, reason, code }: LogFields): void {
    if (uid !== undefined) this.#auth.add(1, scheme, ACCEPTED)
    else if (reason !== undefined && OF_CREDENTIALS.has(reason)) this.#auth.add(1, triedScheme, reason)
    else if (triedScheme !== undefined && code !== undefined && PROBLEMS[code].status === 503) {
      this.#auth.add(1, triedScheme, UNAVAILABLE)
    }
  }
}
