import { hostname } from 'node:os'
import { loadAuthConfig } from './auth.ts'
import { loadLimitsConfig, loadMultipleReceiversMax } from './budgets/limits.ts'
import { closestName, misspelt } from './closest-name.ts'
import { loadCometchatConfig } from './cometchat.ts'
import { loadDeliveryConfig } from './delivery.ts'
import { type Environment, EnvReader, isAddressOrCidr } from './env-reader.ts'
import { loadAuditConfig } from './files/audit.ts'
import { loadCorsConfig } from './headers/cross-origin.ts'
import { loadIgnoredHeaders } from './headers/ignored-headers.ts'
import { loadHttpHosts } from './issuers/http-hosts.ts'
import { namedIssuers } from './issuers/setting-names.ts'
import { loadProxyConfig } from './platform/proxy.ts'
import { withoutServiceLinks } from './platform/service-links.ts'
import { loadTracesConfig } from './platform/traces.ts'
import { warningsOf } from './risks/hazards.ts'
import { flagsIn, refusalsOfFlags } from './risks/node-flags.ts'
import { loadUidConfig } from './uid.ts'
import { VARIABLES } from './variables.ts'

export type Config = ReturnType<typeof loadConfig>

const PREFIXES =
  /^(ADMIN|AUDIT|AUTH|COMETCHAT|CORS|DATA|DELIVERY|DRAIN|IDEMPOTENCY|MULTIPLE|QUIET|REPLY|SETTLE|STORE|UID|LIMIT|TRACE)_/
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const PORTS = [0, 65_535] as const
const WORKERS = [1, 64] as const
const WATCHED: ReadonlySet<string> = new Set(['COMETCHAT_API_KEY_FILE', 'AUTH_JWT_SECRET_FILE'])
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])
const INSTANCE_NAME = /^[\w.:/-]{1,128}$/
const COMMIT = /^(?:[0-9a-f]{7,64}|unknown)$/
const HOST_NAME = /^[A-Za-z0-9.:_-]{1,253}$/

/**
 * Turns an environment into the configuration of the service.
 * Throws one ConfigError that names every mistake and shows no value.
 */
export function loadConfig(given: Environment, readFile: (path: string) => string) {
  const env = withoutServiceLinks(given)
  const reader = new EnvReader(env, readFile)
  const httpHosts = loadHttpHosts(reader)
  const uid = loadUidConfig(reader, httpHosts)
  const auth = loadAuthConfig(reader, { httpHosts, uid })
  const workers = reader.integer('WEB_CONCURRENCY', 1, WORKERS)
  const limits = loadLimitsConfig(reader)
  const config = {
    public: listener(reader, 'HOST', 'PORT', 3000),
    admin: listener(reader, 'ADMIN_HOST', 'ADMIN_PORT', 3001),
    workers,
    instance:
      reader.text('INSTANCE_NAME', INSTANCE_NAME, 'a name of letters, digits and . _ : / -, at most 128') ?? hostname(),
    commit: reader.text('BUILD_COMMIT', COMMIT, 'a commit in hexadecimal digits, or unknown') ?? 'unknown',
    logLevel: reader.choice('LOG_LEVEL', 'info', LOG_LEVELS),
    trustProxy: trustProxy(reader),
    proxy: loadProxyConfig(reader),
    traces: loadTracesConfig(reader),
    cors: loadCorsConfig(reader),
    servesDocument: reader.choice('OPENAPI', 'off', ['on', 'off']) === 'on',
    keepAliveTimeoutMs: reader.integer('KEEP_ALIVE_TIMEOUT_MS', 72_000, [1000, 3_600_000]),
    maxConnections: reader.integer('MAX_CONNECTIONS', 10_000, [1, 1_000_000]),
    cometchat: loadCometchatConfig(reader),
    ignoredHeaders: loadIgnoredHeaders(reader, auth.tokenPlaces.header),
    auth,
    uid,
    delivery: loadDeliveryConfig(reader),
    audit: loadAuditConfig(reader, workers),
    limits,
    multipleReceiversMax: loadMultipleReceiversMax(reader, limits),
    drainDelayMs: reader.integer('DRAIN_DELAY_MS', 5000, [0, 300_000])
  }
  if (config.workers > 1 && config.delivery.store.kind === 'memory' && !reader.isRefused('STORE_URL')) {
    reader.refuse(
      'WEB_CONCURRENCY above 1 needs another STORE_URL than memory:, none, or STORE_URL=file:PATH, redis://… or postgres://… (and ' +
        'STORE_SECRET): no process sees the memory of another. Where the platform sets it, as Heroku does, WEB_CONCURRENCY=1 goes before that.'
    )
  }
  refuseUnsafeRuntime(reader, env)
  refuseOnePort(reader, config)
  const unknown = unknownVariables(env)
  reader.finish(unknown)
  const flags = flagsIn(env['NODE_OPTIONS'] ?? '')
  const issuers = namedIssuers(config.auth.jwt, config.auth.issuers)
  return {
    ...config,
    warnings: [
      ...unknown,
      ...filesReadOnce(reader),
      ...(config.traces?.warnings ?? []),
      ...warningsOf({ ...config, issuers, flags })
    ]
  }
}

interface Listeners {
  readonly public: ReturnType<typeof listener>
  readonly admin: ReturnType<typeof listener>
}

function listener(reader: EnvReader, hostName: string, portName: string, port: number) {
  return {
    host: reader.text(hostName, HOST_NAME, 'a host name or an address') ?? '127.0.0.1',
    port: reader.integer(portName, port, PORTS)
  }
}

function trustProxy(reader: EnvReader): string[] {
  const addresses = reader.list('TRUST_PROXY')
  if (!addresses.every(isAddressOrCidr)) {
    reader.refuse('TRUST_PROXY must list addresses or CIDR blocks; a number or "true" trusts the wrong peer.')
  }
  return addresses
}

function refuseUnsafeRuntime(reader: EnvReader, env: Environment): void {
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    reader.refuse('NODE_TLS_REJECT_UNAUTHORIZED=0 would send the key to anybody: remove it.')
  }
  const flags = flagsIn(env['NODE_OPTIONS'] ?? '')
  for (const refusal of refusalsOfFlags(flags, env['NODE_ENV'] === 'development')) reader.refuse(refusal)
}

/** Otherwise the second one would be told that its port is taken, by nobody that could be found. */
function refuseOnePort(reader: EnvReader, { public: { host, port }, admin }: Listeners): void {
  const isSameHost = host === admin.host || [host, admin.host].some(name => WILDCARDS.has(name))
  if (port !== 0 && port === admin.port && isSameHost) reader.refuse('PORT and ADMIN_PORT must not be the same.')
}

/** The secrets whose files are not followed: that a new one there does nothing must be known before it is needed. */
function filesReadOnce({ secretFiles }: EnvReader): string[] {
  const names = secretFiles.filter(name => !WATCHED.has(name))
  return names.map(name => `${name} is read at the start only: what changes in it counts after a restart.`)
}

/** Those that begin as ours do, and others that are nearly ours; each with what it may be meant to be. */
function unknownVariables(env: Environment): string[] {
  return Object.keys(env).flatMap(name => {
    if (VARIABLES.includes(name)) return []
    if (PREFIXES.test(name)) return `${name} is not known here${closestName(name, VARIABLES)}`
    const meant = misspelt(name, VARIABLES)
    return meant === undefined ? [] : `${name} is not known here: did you mean ${meant}?`
  })
}
