import type { Secret } from '../../lib/secret.ts'
import { DRAIN_MARGIN_MS, LONGEST_DRAIN_MS } from '../../lib/service/drain-times.ts'
import { isLocal } from '../../lib/service/postgres-address.ts'
import { isLoopback } from '../../lib/service/secure-url.ts'
import type { RedisAddress, StoreAddress } from '../../lib/service/store-address.ts'
import { openOrigins } from '../headers/cross-origin.ts'
import type { IntrospectionClient } from '../introspection.ts'
import type { NamedConfig } from '../issuers/setting-names.ts'
import type { TracesConfig } from '../platform/traces.ts'
import type { UidTableConfig } from '../uid.ts'
import {
  CHOSEN_CLAIM,
  findIn,
  ISSUER_HAZARDS,
  isChosenByUsers,
  ownClaims,
  publishedSecretsOf
} from './issuer-hazards.ts'
import { isPublished } from './published-secrets.ts'

/** A way to start that works and has a risk. The list in docs/operations.md is held against these. */
interface Hazard {
  /** As the operator sets it. */
  readonly what: string
  /** Why that is a risk; the rest of a sentence that begins with what was found. */
  readonly reason: string
  /** The variables or flags that make it so; none where it is not. */
  readonly find: (start: Start) => readonly string[]
}

/** What a start is judged by: the configuration that was read, and the flags of Node. */
export interface Start {
  readonly flags: readonly string[]
  readonly admin: { readonly host: string }
  /** Every issuer whose tokens count. */
  readonly issuers: readonly NamedConfig[]
  readonly auth: {
    readonly introspection: { readonly client: IntrospectionClient } | undefined
    readonly httpHosts: ReadonlySet<string>
    readonly login: { readonly clientSecret: Secret } | undefined
    readonly session: { readonly secrets: readonly Secret[]; readonly store: RedisAddress } | undefined
  }
  readonly uid: { readonly claim: string; readonly mode: string; readonly table: UidTableConfig | undefined }
  readonly cometchat: { readonly apiKeys: readonly Secret[]; readonly categories: readonly string[] }
  readonly delivery: {
    readonly store: StoreAddress
    readonly secret: Secret | undefined
    readonly deadlineMs: number
    readonly quietPeriodMs: number
  }
  readonly drainDelayMs: number
  readonly cors: { readonly origins: ReadonlySet<string> }
  readonly audit: { readonly secrets: readonly Secret[] } | undefined
  readonly logLevel: string
  readonly traces: Pick<TracesConfig, 'url' | 'headers'> | undefined
}

/** Of a real key; what is shorter would be found in any text. */
const SHORTEST_REAL_KEY = 8
const SESSION_SECRET_BYTES = 32

/** Each is said once, at the start, and by `--check-config`; the service starts. */
export const HAZARDS: readonly Hazard[] = [
  {
    what: '`ADMIN_HOST` beyond loopback',
    reason: 'is not loopback: probes and metrics are open to the network.',
    find: ({ admin }) => (isLoopback(admin.host) ? [] : ['ADMIN_HOST'])
  },
  {
    what: '`COMETCHAT_API_KEY` of fewer than 8 characters',
    reason: 'is shorter than any real key, too short to be recognised where it should not be.',
    find: ({ cometchat }) =>
      cometchat.apiKeys.some(key => key.reveal().length < SHORTEST_REAL_KEY) ? ['COMETCHAT_API_KEY'] : []
  },
  {
    what: '`AUTH_SESSION_SECRET` of fewer than 32 bytes',
    reason: 'holds a secret of fewer than 32 bytes: cookies could be forged.',
    find: ({ auth }) =>
      auth.session?.secrets.some(secret => Buffer.byteLength(secret.reveal()) < SESSION_SECRET_BYTES)
        ? ['AUTH_SESSION_SECRET']
        : []
  },
  {
    what: '`COMETCHAT_CATEGORIES` with `interactive` or `card`',
    reason: 'names a category that CometChat documents for /messages only, not for replies in a thread.',
    find: ({ cometchat }) =>
      cometchat.categories.some(name => name === 'interactive' || name === 'card') ? ['COMETCHAT_CATEGORIES'] : []
  },
  {
    what: '`DRAIN_DELAY_MS` and `REPLY_DEADLINE_MS` above 26 s together',
    reason: 'make a drain that orchestrators may cut off after their 30 s.',
    find: ({ drainDelayMs, delivery }) =>
      drainDelayMs + delivery.deadlineMs + DRAIN_MARGIN_MS > LONGEST_DRAIN_MS
        ? ['DRAIN_DELAY_MS and REPLY_DEADLINE_MS']
        : []
  },
  {
    what: 'a secret of our own documents or of `.env.example`',
    reason: 'stands in the documents of this project: everybody knows it.',
    find: publishedSecrets
  },
  {
    what: '`QUIET_PERIOD_MS=0` with a durable store',
    reason: 'is 0: a reply that CometChat is still working on counts as lost, and its retry posts it twice.',
    find: ({ delivery }) =>
      delivery.quietPeriodMs === 0 && delivery.store.kind !== 'memory' ? ['QUIET_PERIOD_MS'] : []
  },
  {
    ...CHOSEN_CLAIM,
    find: ({ uid, issuers }) => [...(isChosenByUsers(uid.claim) ? ['UID_CLAIM'] : []), ...ownClaims(issuers, uid.claim)]
  },
  {
    what: '`UID_MODE=lower` with `STORE_URL=memory:`',
    reason:
      'is lower with STORE_URL=memory: who owns a UID is forgotten at every restart, and unknown to other instances.',
    find: ({ uid, delivery }) => (uid.mode === 'lower' && delivery.store.kind === 'memory' ? ['UID_MODE'] : [])
  },
  ...ISSUER_HAZARDS.map(hazard => ({ ...hazard, find: ({ issuers }: Start) => findIn(issuers, hazard) })),
  {
    what: '`AUTH_HTTP_HOSTS`',
    reason: 'lists hosts that are asked over plain http: who is on the way can say who anybody is.',
    find: ({ auth }) => (auth.httpHosts.size > 0 ? ['AUTH_HTTP_HOSTS'] : [])
  },
  {
    what: '`CORS_ORIGINS` with an `http:` address of a LAN',
    reason: 'lists an http address of a LAN: anybody in that network can pose as that page, and read what it reads.',
    find: ({ cors }) => (openOrigins(cors).length > 0 ? ['CORS_ORIGINS'] : [])
  },
  {
    what: '`redis://` to a host that is not loopback',
    reason: 'is redis:// to another host: records, sessions and its password can be read on the way; use rediss://.',
    find: ({ delivery, auth }) => [
      ...(isReadable(delivery.store) ? ['STORE_URL'] : []),
      ...(isReadable(auth.session?.store) ? ['AUTH_SESSION_STORE_URL'] : [])
    ]
  },
  {
    what: '`postgres://` with `sslmode=disable` or `require` to a host that is not loopback',
    reason:
      'has an sslmode that does not prove who answers: records and sessions can be read on the way; use verify-full.',
    find: ({ delivery }) => (isUnproved(delivery.store) ? ['STORE_URL'] : [])
  },
  {
    what: '`OTEL_EXPORTER_OTLP_HEADERS` to an `http:` receiver that is not loopback',
    reason: 'goes to another host over plain http: who is on the way can read it.',
    find: ({ traces }) => (traces && isHeadersReadable(traces) ? ['OTEL_EXPORTER_OTLP_HEADERS'] : [])
  },
  {
    what: '`LOG_LEVEL=silent` with `AUDIT_FILE`',
    reason: 'is silent: no checkpoint of the audit file is in the log, and that its end was cut off would go unseen.',
    find: ({ audit, logLevel }) => (audit && logLevel === 'silent' ? ['LOG_LEVEL'] : [])
  },
  {
    what: '`--tls-keylog`',
    reason: 'writes what decrypts every TLS connection, and so the key, into a file.',
    find: ({ flags }) => (flags.some(flag => /^--tls-keylog(=|$)/.test(flag)) ? ['--tls-keylog'] : [])
  },
  {
    what: '`--trace-tls`',
    reason: 'prints what goes over TLS connections.',
    find: ({ flags }) => (flags.includes('--trace-tls') ? ['--trace-tls'] : [])
  }
]

export function warningsOf(start: Start): string[] {
  return HAZARDS.flatMap(({ find, reason }) => find(start).map(found => `${found} ${reason}`))
}

function publishedSecrets({ cometchat, auth, issuers, uid, delivery, audit }: Start): string[] {
  const { introspection, login, session } = auth
  const client = introspection?.client
  const secrets: Readonly<Record<string, readonly (Secret | undefined)[]>> = {
    COMETCHAT_API_KEY: cometchat.apiKeys,
    AUTH_INTROSPECTION_CLIENT_SECRET: client && 'clientSecret' in client ? [client.clientSecret] : [],
    AUTH_INTROSPECTION_TOKEN: client && 'token' in client ? [client.token] : [],
    AUTH_LOGIN_CLIENT_SECRET: [login?.clientSecret],
    AUTH_SESSION_SECRET: session?.secrets ?? [],
    UID_TABLE_TOKEN: [uid.table?.kind === 'url' ? uid.table.token : undefined],
    STORE_SECRET: [delivery.secret],
    AUDIT_SECRET: audit?.secrets ?? []
  }
  const isKnown = (secret: Secret | undefined): boolean => secret !== undefined && isPublished(secret.reveal())
  return [...Object.keys(secrets).filter(name => secrets[name]?.some(isKnown)), ...publishedSecretsOf(issuers)]
}

function isUnproved(address: StoreAddress): boolean {
  if (address.kind !== 'postgres' || address.hosts.every(isLocal)) return false
  return address.tls === 'disable' || address.tls === 'require'
}

function isReadable(address: StoreAddress | undefined): boolean {
  return address?.kind === 'redis' && !address.isTls && !address.hosts.every(({ host }) => isLoopback(host))
}

function isHeadersReadable({ url, headers }: Pick<TracesConfig, 'url' | 'headers'>): boolean {
  const { protocol, hostname } = new URL(url)
  return headers.size > 0 && protocol === 'http:' && !isLoopback(hostname)
}
