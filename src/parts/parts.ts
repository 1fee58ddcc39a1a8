// Every part of the service, made and joined in the order in which they need each other.
import type { Logger } from 'pino'
import type { Config } from '../config/load-config.ts'
import { createDelivery, type Delivery } from '../delivery/deliver.ts'
import { createExplain, type Explain } from '../delivery/explain.ts'
import { createDeletionNotes } from '../delivery/posted/deletion-notes.ts'
import type { RecordStore } from '../delivery/record.ts'
import { createRecordKeys } from '../delivery/record-keys.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { StoreError } from '../lib/service/store-error.ts'
import { Tripwire } from '../lib/tripwire/tripwire.ts'
import { logEvents } from '../observability/event-log.ts'
import type { Emit } from '../observability/events.ts'
import { createJsonFetcher, type JsonFetcher } from '../outbound/fetch-json.ts'
import { createConnector } from '../outbound/proxy-connector.ts'
import type { SdkTokens } from '../sdk-tokens/sdk-tokens.ts'
import { showReply } from '../upstream/shown-request.ts'
import { type AppSessions, openAppSessions } from './app-sessions.ts'
import { type Audit, openAuditFile } from './audit/audit.ts'
import { type Bearer, createBearer } from './bearer.ts'
import { type CometChat, createCometChat } from './cometchat.ts'
import { createLimits, type Limits } from './limits.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { createShedding, type Shedding } from './overload/shedding.ts'
import { type OwnLogin, openLogin } from './own-login.ts'
import type { Part } from './part.ts'
import { openRecords } from './records.ts'
import { createTokens, openTokenStore } from './sdk/sdk-tokens.ts'
import { openTraces, type Traces } from './telemetry/traces.ts'
import { createThreads, type Threads } from './thread/threads.ts'
import { openUids, type Uids } from './uids.ts'
import { tellOfSecrets, watchSecrets } from './watched-secrets.ts'

/** What a test replaces, or a process that is one of several; everything else is real everywhere. */
export interface Adapters {
  readonly log: Logger
  readonly clock?: Clock
  readonly random?: () => number
  readonly store?: RecordStore
  /** Told of every event in place of the log. */
  readonly subscriber?: Emit
  /** That of the process, where its log has one. */
  readonly tripwire?: Tripwire
  /** Of every address, inside a host's app. */
  readonly prefix?: string
}

export interface Parts extends Part {
  warnings(): readonly string[]
  readonly clock: Clock
  readonly tripwire: Tripwire
  readonly bearer: Bearer
  readonly appSessions: AppSessions
  /** Undefined where this service signs nobody in itself. */
  readonly login: OwnLogin | undefined
  /** Undefined where no client gets a token of CometChat's. */
  readonly sdkTokens: SdkTokens | undefined
  readonly uids: Uids
  readonly cometchat: CometChat
  readonly delivery: Delivery
  readonly threads: Threads
  readonly explain: Explain
  /** Undefined where there is no audit file. */
  readonly audit: Audit | undefined
  readonly limits: Limits
  readonly shedding: Shedding
  readonly metrics: Metrics
  /** Undefined where spans go nowhere. */
  readonly traces: Traces | undefined
}

/**
 * What only some configurations need is loaded where it is made: no start waits for a Redis client that is not used.
 * Throws a StoreError where a store must not be used as it is; then nothing is left running.
 */
export async function createParts(config: Config, adapters: Adapters): Promise<Parts> {
  const { log, clock = systemClock, random = Math.random, tripwire = new Tripwire() } = adapters
  const metrics = createMetrics(config, clock, adapters.prefix)
  const traces = await openTraces(config, { clock, emit: event => emit(event), tripwire })
  const subscribers = [adapters.subscriber ?? logEvents(log), metrics.subscriber, ...(traces ? [traces.onEvent] : [])]
  let isClosed = false
  let sdkTokens: SdkTokens | undefined
  // What ends by order is no trouble: a key set that is still being fetched, a connection to a store.
  const emit: Emit = event => {
    if (isClosed) return
    for (const subscriber of subscribers) subscriber(event)
  }
  watchSecrets(tripwire, config)
  tellOfSecrets(tripwire, emit, () => clock.monotonic())
  const fetchJson = createJsonFetcher({ connect: createConnector(config.proxy?.proxyFor) })
  // First the stores: they can refuse to start, and then nothing else must be running.
  const { records, login, uids, audit, appSessions, tokenStore } = await openStores(config, adapters.store, {
    fetchJson,
    clock,
    emit,
    opened: traces ? [traces] : [],
    tripwire,
    onSessionsEnded: async names => sdkTokens?.revokeEnded(names)
  })
  const bearer = createBearer(config, { fetchJson, clock, emit })
  const limits = createLimits(config, { store: records.store, clock, random, emit })
  const shedding = createShedding(config, { clock, random, emit })
  const cometchat = createCometChat(config, { clock, random, emit, calls: limits.calls, tripwire })
  if (tokenStore) sdkTokens = await createTokens(config, { store: tokenStore, login, cometchat, clock, emit })
  const recordKeys = createRecordKeys(secretOf(config.delivery))
  const { keyring, receiverByReading } = cometchat
  const explain = createExplain({
    store: records.store,
    recordKeys,
    marker: config.delivery.marker,
    receiverOf: receiverByReading,
    requestOf: (reply, receiver) =>
      showReply({ origin: config.cometchat.origin, keyFingerprint: keyring.current().fingerprint }, reply, receiver),
    clock,
    deadlineMs: config.delivery.deadlineMs,
    ...(audit && { refusalBeforeSend: () => audit.refusalAhead() })
  })
  const notes = createDeletionNotes(records.store, recordKeys)
  const delivery = createDelivery({
    notes,
    cometchat: cometchat.client,
    receiverOf: cometchat.receiverOf,
    store: records.store,
    storeKind: config.delivery.store.kind,
    emit,
    recordKeys,
    clock,
    deadlineMs: config.delivery.deadlineMs,
    quietPeriodMs: config.delivery.quietPeriodMs,
    marker: config.delivery.marker,
    ...(audit?.beforeSend && { beforeSend: audit.beforeSend })
  })

  metrics.begin({ bearer, login, cometchat, limits, records })

  // In the order in which `/readyz` gives its reasons.
  const optional = [login, audit, traces].filter(part => part !== undefined)
  const parts: readonly Part[] = [records, bearer, appSessions, ...optional, uids, cometchat, limits, shedding, metrics]
  return {
    clock,
    tripwire,
    bearer,
    appSessions,
    login,
    sdkTokens,
    uids,
    cometchat,
    delivery,
    threads: createThreads(config, {
      cometchat,
      store: records.store,
      recordKeys,
      notes,
      clock,
      ...(audit?.beforeSend && { beforeSend: audit.beforeSend })
    }),
    explain,
    audit,
    limits,
    shedding,
    metrics,
    traces,
    health: parts.flatMap(part => part.health),
    // What was chosen at the start comes after what happens.
    warnings: () => [...parts.slice(1), records].flatMap(part => part.warnings?.() ?? []),
    async close() {
      // A client that went away has no connection to wait for, but its reply may still be under way.
      await delivery.idle()
      // How its chain ends must still reach the log.
      await audit?.close()
      isClosed = true
      const others = parts.filter(part => part !== audit)
      await Promise.all([...others, fetchJson, tokenStore].map(part => part?.close()))
    }
  }
}

interface StoreNeeds {
  readonly fetchJson: JsonFetcher
  readonly clock: Clock
  readonly emit: Emit
  readonly tripwire: Tripwire
  /** What is closed, too, where a store refuses to start. */
  readonly opened: readonly Pick<Part, 'close'>[]
  /** Told the names of sessions of this service that have ended. */
  readonly onSessionsEnded: (names: readonly string[]) => Promise<void>
}

/** Everything that is kept at STORE_URL, and the audit file. Throws a StoreError, and leaves nothing open. */
async function openStores(config: Config, given: RecordStore | undefined, needs: StoreNeeds) {
  const { fetchJson, clock, emit, tripwire, opened: before, onSessionsEnded } = needs
  const opened: Pick<Part, 'close'>[] = [fetchJson, ...before]
  try {
    const records = await openRecords(config, { given, clock, emit })
    opened.push(records)
    const appSessions = await openAppSessions(config, clock, emit)
    opened.push(appSessions)
    const { postgres } = records.store
    const login = await openLogin(config, { fetchJson, clock, emit, postgres, onSessionsEnded })
    if (login) opened.push(login)
    const tokenStore = await openTokenStore(config, login, { emit, postgres })
    if (tokenStore) opened.push(tokenStore)
    const uids = await openUids(config, { clock, emit, postgres })
    opened.push(uids)
    const audit = await openAuditFile(config.audit, { clock, emit, tripwire })
    return { records, appSessions, login, tokenStore, uids, audit }
  } catch (error) {
    await Promise.all(opened.map(one => one.close()))
    throw config.delivery.directory ? ofDataDirectory(error) : error
  }
}

/** Records that stay must never be named with a secret that goes. */
function secretOf({ store, secret }: Config['delivery']): string | undefined {
  if (!secret && store.kind !== 'memory') throw new Error('records that stay need their secret')
  return secret?.reveal()
}

/** Who never set STORE_URL learns where its value comes from. */
function ofDataDirectory(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  return new StoreError(error.message.replace(/^STORE_URL/, 'STORE_URL (by default replies.db in DATA_DIR)'))
}
