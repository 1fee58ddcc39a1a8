// The limits as a part: the door, the quota and what CometChat says, joined with requests, replies and calls.
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CALLER } from '../auth/require-caller.ts'
import type { Config } from '../config/load-config.ts'
import type { DeliveredReply, ReplyCommand } from '../delivery/command.ts'
import type { Delivery } from '../delivery/deliver.ts'
import type { RecordStore } from '../delivery/record.ts'
import { AppError, type LimitPolicy } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { ActingLimits } from '../lib/service/acting-limits.ts'
import { hash32 } from '../limits/hash.ts'
import type { MessageEnd, Sender } from '../limits/quota/charge.ts'
import type { Preview } from '../limits/quota/preview.ts'
import { Quota } from '../limits/quota/quota.ts'
import { type PolicyState, rateLimitFields } from '../limits/rate-limit-fields.ts'
import { openQuotas } from '../limits/stores/open.ts'
import { UpstreamLimits } from '../limits/upstream-limits.ts'
import type { Emit } from '../observability/events.ts'
import { FACTS } from '../observability/log-fields.ts'
import type { CallCounter, CountedCall } from '../upstream/transport/counted.ts'
import type { ExchangeResult } from '../upstream/transport/exchange-types.ts'
import { parseRetryAfter, resetInMs } from '../upstream/transport/retry-after.ts'
import { createDoorKeeper, type DoorKeeper } from './door-keeper.ts'
import type { Part } from './part.ts'

export interface Limits extends Part {
  readonly door: DoorKeeper
  /** Undefined where nothing is counted. */
  readonly calls: CallCounter | undefined
  /** Delivers a reply, charged to whom it belongs. */
  deliver(order: ReplyCommand, delivery: Delivery): Promise<DeliveredReply>
  /** How a reply would be charged; charges nothing. */
  preview(order: ReplyCommand): Promise<Preview>
  readonly onAnswer: (request: FastifyRequest, response: FastifyReply) => void
  /** One for each limit, for `/readyz?verbose`. */
  lines(): readonly string[]
  /** How much of the app's minute is left, from 0 to 1; undefined where it is not counted. */
  appRemainingRatio(): number | undefined
}

export interface LimitsParts {
  readonly store: RecordStore
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly emit: Emit
}

/** Instances that share a store know of each other by asking it, also while nothing is sent. */
const BEAT_MS = 20_000
/** What kept this attempt from sending anything, whatever an earlier one did. */
const NOTHING_SENT = new Set(['idempotency-in-flight', 'store-unavailable', 'store-recovering'])

export function createLimits({ limits, workers, trustProxy }: Config, parts: LimitsParts): Limits {
  const { clock, random, emit } = parts
  const { mode, userLimit, serviceLimit, appPerMinute } = limits
  const monotonic = (): number => clock.monotonic()
  const isEnforced = mode === 'enforce'
  const acting = new ActingLimits<LimitPolicy>({
    monotonic,
    tell: (policy, times, enforced) => emit({ name: 'limit-acting', policy, times, isEnforced: enforced })
  })
  const door = createDoorKeeper({ ...limits, trustProxy, monotonic, random, emit, acting })
  if (mode === 'off') {
    return {
      door,
      calls: undefined,
      deliver: (order, delivery) => delivery.deliver(order),
      preview: async () => ({ states: [], refusal: undefined }),
      onAnswer: () => undefined,
      lines: () => [],
      appRemainingRatio: () => undefined,
      health: [],
      close: () => undefined
    }
  }
  // A limit of ours that is smaller, or none, says nothing of what CometChat gives a user.
  const upstream = new UpstreamLimits({ monotonic, userLimit: Math.max(limits.userPerMinute, USUAL_USER_LIMIT) })
  const store = openQuotas({
    redis: parts.store.redis,
    sqlite: parts.store.sqlite,
    postgres: parts.store.postgres,
    now: () => clock.now(),
    monotonic,
    workers
  })
  const onRefusal = (policy: LimitPolicy): void => acting.note(policy, isEnforced)
  const quota = new Quota({
    store,
    upstream,
    userLimit,
    serviceLimit,
    appLimit: appPerMinute,
    isEnforced,
    monotonic,
    random,
    onRefusal
  })
  const beat = store.isShared ? setInterval(() => quota.app?.beat(), BEAT_MS).unref() : undefined
  quota.app?.beat()

  return {
    door,
    calls: {
      admit: call => quota.admitCall(call),
      note: (call, outcome) => noteCall(quota, call, outcome, clock)
    },
    deliver: (order, delivery) => deliverCharged(quota, order, delivery),
    preview: order => quota.preview(senderOf(order), unitsOf(order)),
    onAnswer(request, response) {
      door.onAnswer(request)
      if (isEnforced && request[CALLER]) describe(quota, request, response)
    },
    lines: () => linesOf(limits, quota),
    appRemainingRatio: () => quota.app && Math.max(0, 1 - quota.app.used / quota.app.limit),
    health: [],
    warnings: () => acting.warnings(),
    close() {
      clearInterval(beat)
      return store.close()
    }
  }
}

const TAG_CHARACTERS = 64
/** What CometChat documents. */
const USUAL_USER_LIMIT = 30

async function deliverCharged(quota: Quota, order: ReplyCommand, delivery: Delivery): Promise<DeliveredReply> {
  const charge = quota.charge(senderOf(order), { units: unitsOf(order), tag: tagOf(order) })
  let end: MessageEnd = { delivery: 'unknown', isFresh: true }
  try {
    const delivered = await delivery.deliver({ ...order, admission: charge })
    end = { delivery: 'sent', isFresh: !delivered.replayed }
    return delivered
  } catch (error) {
    // What was found in the record or in the thread was charged when it was sent.
    const isOfThisAttempt = order.facts.replayed !== true
    if (error instanceof AppError) {
      end = { delivery: error.delivery, isFresh: isOfThisAttempt && !NOTHING_SENT.has(error.code) }
    }
    throw quota.namingPolicy(error, order.author.uid)
  } finally {
    charge.end(end)
  }
}

/** The conversation of the thread, and each further receiver. */
function unitsOf({ message: { multipleReceivers } }: ReplyCommand): number {
  return 1 + (multipleReceivers?.uids?.length ?? 0) + (multipleReceivers?.guids?.length ?? 0)
}

/** By its key; without one by how its text begins, which tells most messages of one user apart. */
function tagOf({ idempotencyKey, parentId, message }: ReplyCommand): number {
  const { text } = message.data
  const begin = typeof text === 'string' ? text.slice(0, TAG_CHARACTERS) : ''
  return hash32(idempotencyKey ?? `${parentId} ${begin}`, 0)
}

function senderOf({ author: { uid, issuer, actors = [] } }: ReplyCommand): Sender {
  const actor = actors[0]
  return actor === undefined ? { uid } : { uid, service: serviceName(issuer, actor) }
}

function serviceName(issuer: string, actor: string): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, actor]))
    .digest('base64url')
}

/** CometChat counts what it was asked and answered; a message that was accepted was charged before it was sent. */
function noteCall(quota: Quota, call: CountedCall, outcome: ExchangeResult, clock: Clock): void {
  const { uid, isMessage } = call
  quota.options.upstream.noteCall()
  if (outcome.kind === 'failure') {
    if (!isMessage && !outcome.sent) quota.giveBackCall(call)
    return
  }
  const { status, headers } = outcome
  if (isMessage && status >= 400 && status < 500 && status !== 408) quota.noteRefusedMessage(call)
  const isRefused = status === 429
  const nowMs = clock.now()
  quota.options.upstream.note({
    uid,
    isRefused,
    headers,
    retryAfterMs: isRefused ? parseRetryAfter(headers['retry-after'], nowMs) : undefined,
    resetsInMs: resetInMs(headers, nowMs)
  })
}

/** `RateLimit` for the policy of the caller; that of the app only where it refuses. */
function describe(quota: Quota, { [CALLER]: caller, [FACTS]: facts }: FastifyRequest, response: FastifyReply): void {
  const states: PolicyState[] = []
  const user = quota.standingOf(caller.uid)
  if (user) states.push(user)
  if (facts.reason === 'limit-app') states.push(quota.appState(Number(response.getHeader('retry-after') ?? 0) * 1000))
  if (states.length === 0) return
  const { policy, limit } = rateLimitFields(states)
  response.header('ratelimit-policy', policy).header('ratelimit', limit)
}

function linesOf({ mode, ...limits }: Config['limits'], quota: Quota): string[] {
  const { userLimit, serviceLimit, appPerMinute, addressPerMinute, failuresPerMinute } = limits
  const shown = (limit: number): string => (limit === 0 ? 'any' : `${limit} in a minute`)
  const used = quota.app ? `, ${quota.app.used} used` : ''
  return [
    `limits: ${mode}`,
    `address: ${shown(addressPerMinute)}, failures: ${shown(failuresPerMinute)}`,
    `user: ${shown(userLimit)}`,
    `service: ${shown(serviceLimit)}`,
    `app: ${shown(appPerMinute)}${used}`
  ]
}
