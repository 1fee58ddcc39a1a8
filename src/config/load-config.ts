import type { Secret } from '../lib/secret.ts'
import { isLoopback } from '../lib/secure-url.ts'
import { loadCorsOrigins } from './app-session.ts'
import { loadAuthConfig } from './auth.ts'
import { closestName } from './closest-name.ts'
import { loadCometchatConfig } from './cometchat.ts'
import { loadDeliveryConfig } from './delivery.ts'
import { type Environment, EnvReader, isAddressOrCidr } from './env-reader.ts'
import { loadUidConfig } from './uid.ts'

export type Config = ReturnType<typeof loadConfig>

/** Every variable this service reads; each secret also as `<NAME>_FILE`. */
export const VARIABLES = [
  'HOST',
  'PORT',
  'ADMIN_HOST',
  'ADMIN_PORT',
  'WEB_CONCURRENCY',
  'LOG_LEVEL',
  'TRUST_PROXY',
  'CORS_ORIGINS',
  'COMETCHAT_APP_ID',
  'COMETCHAT_REGION',
  'COMETCHAT_API_KEY',
  'COMETCHAT_API_KEY_FILE',
  'COMETCHAT_BASE_URL',
  'AUTH_JWT_ISSUER',
  'AUTH_JWT_AUDIENCE',
  'AUTH_JWT_JWKS_URL',
  'AUTH_JWT_ALGORITHMS',
  'AUTH_JWT_SECRET',
  'AUTH_JWT_SECRET_FILE',
  'AUTH_JWT_TYP',
  'AUTH_JWT_SCOPE',
  'AUTH_ACT_SCOPE',
  'AUTH_INTROSPECTION_URL',
  'AUTH_INTROSPECTION_CLIENT_ID',
  'AUTH_INTROSPECTION_CLIENT_SECRET',
  'AUTH_INTROSPECTION_CLIENT_SECRET_FILE',
  'AUTH_INTROSPECTION_TOKENS',
  'AUTH_LOGIN_ISSUER',
  'AUTH_LOGIN_CLIENT_ID',
  'AUTH_LOGIN_CLIENT_SECRET',
  'AUTH_LOGIN_CLIENT_SECRET_FILE',
  'AUTH_LOGIN_URL',
  'AUTH_LOGIN_SCOPE',
  'AUTH_LOGIN_IDLE_MS',
  'AUTH_LOGIN_ABSOLUTE_MS',
  'AUTH_SESSION_COOKIE',
  'AUTH_SESSION_STORE_URL',
  'AUTH_SESSION_STORE_URL_FILE',
  'AUTH_SESSION_SECRET',
  'AUTH_SESSION_SECRET_FILE',
  'AUTH_SESSION_PREFIX',
  'AUTH_SESSION_USER',
  'AUTH_SESSION_ISSUER',
  'UID_CLAIM',
  'UID_MODE',
  'UID_PREFIX',
  'UID_TABLE_URL',
  'UID_TABLE_TOKEN',
  'UID_TABLE_TOKEN_FILE',
  'UID_CREATE',
  'STORE_URL',
  'STORE_URL_FILE',
  'STORE_SECRET',
  'STORE_SECRET_FILE',
  'IDEMPOTENCY_KEY',
  'DELIVERY_MARKER',
  'REPLY_DEADLINE_MS',
  'SETTLE_MS',
  'QUIET_PERIOD_MS',
  'MULTIPLE_RECEIVERS_MAX',
  'DRAIN_DELAY_MS'
] as const

const PREFIXES = /^(ADMIN|AUTH|COMETCHAT|CORS|DELIVERY|DRAIN|IDEMPOTENCY|MULTIPLE|QUIET|REPLY|SETTLE|STORE|UID|LIMIT)_/
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const PORTS = [0, 65_535] as const
const WORKERS = [1, 64] as const
const HOST_NAME = /^[A-Za-z0-9.:_-]{1,253}$/
const SHORTEST_REAL_KEY = 8
/** As in http/drain.ts: what a drain takes beyond the delay and one reply. */
const DRAIN_MARGIN_MS = 2000
/** Kubernetes kills after 30 s unless it is told otherwise; the rest is for closing stores. */
const LONGEST_DRAIN_MS = 28_000

/**
 * Turns an environment into the configuration of the service.
 * Throws one ConfigError that names every mistake and shows no value.
 */
export function loadConfig(env: Environment, readFile: (path: string) => string) {
  const reader = new EnvReader(env, readFile)
  const config = {
    public: listener(reader, 'HOST', 'PORT', 3000),
    admin: listener(reader, 'ADMIN_HOST', 'ADMIN_PORT', 3001),
    workers: reader.integer('WEB_CONCURRENCY', 1, WORKERS),
    logLevel: reader.choice('LOG_LEVEL', 'info', LOG_LEVELS),
    trustProxy: trustProxy(reader),
    corsOrigins: loadCorsOrigins(reader),
    cometchat: loadCometchatConfig(reader),
    auth: loadAuthConfig(reader),
    uid: loadUidConfig(reader),
    delivery: loadDeliveryConfig(reader),
    multipleReceiversMax: reader.integer('MULTIPLE_RECEIVERS_MAX', 25, [0, 1000]),
    drainDelayMs: reader.integer('DRAIN_DELAY_MS', 5000, [0, 300_000])
  }
  if (config.workers > 1 && config.delivery.store.kind === 'memory') {
    reader.refuse(
      'WEB_CONCURRENCY above 1 needs STORE_URL=file:PATH or redis://…: no process sees the memory of another.'
    )
  }
  refuseUnsafeRuntime(reader, env)
  reader.finish()
  return { ...config, warnings: warnings(env, config) }
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
  if (/insecure[-_]http[-_]parser/.test(env['NODE_OPTIONS'] ?? '')) {
    reader.refuse('NODE_OPTIONS must not contain --insecure-http-parser: it allows request smuggling.')
  }
}

interface WarnedOf {
  readonly admin: { readonly host: string }
  readonly auth: Pick<ReturnType<typeof loadAuthConfig>, 'session'>
  readonly cometchat: { readonly apiKeys: readonly Secret[] }
  readonly delivery: { readonly deadlineMs: number }
  readonly drainDelayMs: number
}

function warnings(env: Environment, config: WarnedOf): string[] {
  const { admin, auth, cometchat, delivery, drainDelayMs } = config
  const unknown = Object.keys(env).filter(name => PREFIXES.test(name) && !VARIABLES.some(known => known === name))
  const found = unknown.map(name => `${name} is not known here${closestName(name, VARIABLES)}`)
  if (!isLoopback(admin.host)) {
    found.push('ADMIN_HOST is not loopback: probes are open to the network.')
  }
  if (cometchat.apiKeys.some(key => key.reveal().length < SHORTEST_REAL_KEY)) {
    found.push('COMETCHAT_API_KEY is shorter than any real key, too short to be recognised where it should not be.')
  }
  if (auth.session?.secrets.some(secret => Buffer.byteLength(secret.reveal()) < 32)) {
    found.push('AUTH_SESSION_SECRET holds a secret of fewer than 32 bytes: cookies could be forged.')
  }
  if (drainDelayMs + delivery.deadlineMs + DRAIN_MARGIN_MS > LONGEST_DRAIN_MS) {
    found.push('DRAIN_DELAY_MS and REPLY_DEADLINE_MS make a drain that orchestrators may cut off after their 30 s.')
  }
  return found
}
