// CometChat as a part: connections, the keys and the file they may come from, and the client.
import { statSync } from 'node:fs'
import { parseApiKeys } from '../config/cometchat.ts'
import type { Config } from '../config/load-config.ts'
import type { AppError, LimitPolicy } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { ActingLimits } from '../lib/service/acting-limits.ts'
import type { Tripwire } from '../lib/tripwire/tripwire.ts'
import { watchFileText } from '../lib/watch-file.ts'
import type { Emit } from '../observability/events.ts'
import { createConnector } from '../outbound/proxy-connector.ts'
import { type CometChatClient, createCometChatClient } from '../upstream/cometchat-client.ts'
import { type EnsuringClient, withEnsuredSender } from '../upstream/ensure-sender.ts'
import { createAppTrouble } from '../upstream/errors/app-trouble.ts'
import { upstreamError } from '../upstream/errors/upstream-error.ts'
import type { Outage } from '../upstream/health/breaker.ts'
import { type GateState, UpstreamGate } from '../upstream/health/gate.ts'
import { createKeyring, type Keyring } from '../upstream/keyring.ts'
import { type CometChatThreads, createCometChatThreads } from '../upstream/listing/threads.ts'
import { createOwnReplies, type OwnReplies } from '../upstream/own-replies.ts'
import { createReceivers, type ReceiverOf, rememberReceivers } from '../upstream/receivers.ts'
import { type CallCounter, countCalls } from '../upstream/transport/counted.ts'
import { createConnections } from '../upstream/transport/pool.ts'
import { readOnly } from '../upstream/transport/read-only.ts'
import type { RetryOptions } from '../upstream/transport/retry.ts'
import { type AuthTokens, createAuthTokens } from '../upstream/users/auth-tokens.ts'
import { createCometChatUsers } from '../upstream/users/users.ts'
import type { Part } from './part.ts'

/** How long a refused key keeps this instance out of the balancer before it is tried again. */
const REFUSED_KEY_MS = 30_000

export interface CometChat extends Part {
  readonly client: CometChatClient
  readonly threads: CometChatThreads
  readonly ownReplies: OwnReplies
  /** Reads for a user who may have to be created first. */
  readonly forSender: EnsuringClient['forSender']
  /** What CometChat's SDK signs users in with. */
  readonly authTokens: AuthTokens
  readonly receiverOf: ReceiverOf
  /** The same, over a client that can only read: it neither posts anything nor creates a user. */
  readonly receiverByReading: ReceiverOf
  readonly keyring: Keyring
  /** What a message with so much time would be refused with now: before its record is asked for. */
  refusalAhead(timeoutMs: number): AppError | undefined
  /** How many calls are under way, and how many may be. */
  load(): Pick<GateState, 'inFlight' | 'limit'>
  /** Since the keys changed: by the date of their file, or else since this process has them. */
  keyAgeMs(): number
}

export interface CometChatParts {
  readonly clock: Clock
  readonly emit: Emit
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Told of every call that is made; undefined without limits. */
  readonly calls: CallCounter | undefined
  /** Told of keys that come later. */
  readonly tripwire: Pick<Tripwire, 'watch'>
}

export function createCometChat(
  { cometchat, delivery, uid, limits, proxy }: Config,
  { clock, emit, random, calls, tripwire }: CometChatParts
): CometChat {
  const keyring = createKeyring(cometchat.apiKeys, () => clock.monotonic())
  const acting = new ActingLimits<LimitPolicy>({
    monotonic: () => clock.monotonic(),
    tell: (policy, times, isEnforced) => emit({ name: 'limit-acting', policy, times, isEnforced })
  })
  const gate = new UpstreamGate({
    connections: createConnections({ origin: cometchat.origin, connect: createConnector(proxy?.proxyFor) }),
    clock,
    random,
    mode: limits.mode,
    maxReserveMs: delivery.deadlineMs / 2,
    onRefusal: (policy, isEnforced) => acting.note(policy, isEnforced),
    onOutage: outage => emit({ name: 'cometchat-outage', outage })
  })
  const connections = calls ? countCalls(gate, calls) : gate
  const trouble = createAppTrouble(emit, clock)
  const options: RetryOptions = {
    connections,
    keyring,
    clock,
    random,
    settleMs: delivery.settleMs,
    emit,
    onResult: trouble.note
  }
  const client = withEnsuredSender({
    client: createCometChatClient(options),
    users: createCometChatUsers(options),
    create: uid.create,
    emit
  })
  const reader = createCometChatClient({ ...options, connections: readOnly(connections) })
  const receivers = rememberReceivers()
  let keysSinceMs = dateOfKeys(cometchat.apiKeyFile, clock)
  const stopFollowing = followKeyFile(cometchat.apiKeyFile, keyring, {
    emit(event) {
      if (event.name === 'api-keys-changed' && event.accepted) keysSinceMs = dateOfKeys(cometchat.apiKeyFile, clock)
      emit(event)
    },
    tripwire
  })
  return {
    client,
    threads: createCometChatThreads(options),
    ownReplies: createOwnReplies(options),
    forSender: client.forSender,
    authTokens: createAuthTokens({ ...options, forSender: client.forSender }),
    receiverOf: createReceivers(client, receivers),
    receiverByReading: createReceivers(reader, receivers),
    keyring,
    refusalAhead(timeoutMs) {
      const outcome = gate.refusalAhead(timeoutMs)
      return outcome && upstreamError({ outcome }, 'post')
    },
    load: () => gate.state(),
    keyAgeMs: () => Math.max(0, clock.now() - keysSinceMs),
    health: [
      { reason: 'cometchat-key-refused', isReady: () => (keyring.refusedForMs() ?? REFUSED_KEY_MS) >= REFUSED_KEY_MS }
    ],
    warnings: () => [...trouble.warnings(), ...outageWarning(gate.state().outage), ...acting.warnings()],
    close() {
      stopFollowing()
      return connections.close()
    }
  }
}

/** No reason not to be ready: another instance meets the same CometChat. */
function outageWarning(outage: Outage | undefined): readonly string[] {
  return outage === undefined ? [] : [`cometchat-${outage}`]
}

/** When the keys were written, where that is known. */
function dateOfKeys(path: string | undefined, clock: Pick<Clock, 'now'>): number {
  const file = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false })
  return file?.mtimeMs ?? clock.now()
}

/** Takes the keys of the file whenever it changes; one that holds none, or too many, changes nothing. */
function followKeyFile(
  path: string | undefined,
  keyring: Keyring,
  { emit, tripwire }: Pick<CometChatParts, 'emit' | 'tripwire'>
): () => void {
  if (path === undefined) return () => undefined
  const tell = (problem?: string): void =>
    emit({
      name: 'api-keys-changed',
      accepted: problem === undefined,
      keys: keyring.fingerprints(),
      ...(problem !== undefined && { problem })
    })
  return watchFileText(
    path,
    text => {
      const keys = parseApiKeys(text)
      // Before one of them is used.
      if (keys) tripwire.watch('COMETCHAT_API_KEY', keys)
      if (keys) keyring.replace(keys)
      tell(keys ? undefined : 'it does not hold one or two different keys; the former keys stay')
    },
    () => tell('it cannot be read; the former keys stay')
  )
}
