import type { Logger } from 'pino'
import type { Emit, ServiceEvent } from './events.ts'
import { trailOf } from './request-log.ts'

type EventOf<Name extends ServiceEvent['name']> = Extract<ServiceEvent, { readonly name: Name }>

const STORE_LIMITS: Record<EventOf<'store-limit'>['limit'], string> = {
  memory: 'STORE_URL is memory: delivery records do not survive this process; use file:PATH or redis://',
  'info-forbidden':
    'whether the Redis of STORE_URL evicts or has lost records cannot be known: it does not answer INFO to this user',
  'config-forbidden':
    'whether a restart of the Redis of STORE_URL loses records cannot be known: it does not answer CONFIG GET appendfsync to this user',
  'no-append-only-file':
    'the Redis of STORE_URL keeps no append-only file: when it restarts, replies are looked for in their threads',
  'no-fsync': 'the Postgres of STORE_URL does not wait for its disk (fsync=off): a power cut loses records unseen'
}

const REACHABLE: Record<EventOf<'reachability'>['part'], (server: string) => string> = {
  store: server => `the ${server} of STORE_URL can be used again`,
  'session-store': () => 'sessions can be read from AUTH_SESSION_STORE_URL again',
  'login-store': () => 'login sessions can be kept at STORE_URL again'
}

const UNREACHABLE: Record<EventOf<'reachability'>['part'], (reason: string, server: string) => string> = {
  store: (reason, server) => `the ${server} of STORE_URL cannot be reached (${reason}); trying again`,
  'session-store': () => 'no session can be read from AUTH_SESSION_STORE_URL; looking again',
  'login-store': () => 'no login session can be kept at STORE_URL; looking again'
}

const SHARDS_AWAY = 'some shards of a Redis Cluster cannot be reached: their keys are answered 503; trying again'

/** The subscriber that writes events as lines of the log. */
export function logEvents(log: Logger): Emit {
  const trail = trailOf(log)
  return event => {
    switch (event.name) {
      case 'upstream-attempt':
      case 'store-transition':
      case 'key-claim':
      case 'key-fetch':
      case 'secret-stopped':
        return undefined
      case 'alarm': {
        const { name, ...fields } = event
        return log.error(fields, 'alarm')
      }
      case 'upstream-deviation':
        return log.warn({ member: event.member, times: event.times }, 'CometChat describes a message in another way')
      case 'user-created':
        return log.info({ uid: event.uid }, 'a CometChat user was created')
      case 'reachability':
        return logReachability(log, event)
      case 'store-limit':
        return log.warn(STORE_LIMITS[event.limit])
      case 'store-unusable':
        return log.error(event.problem)
      case 'store-recovering':
        return logRecovery(log, event)
      case 'store-replicas':
        return logReplicas(log, event)
      case 'store-migrated':
        return logMigration(log, event)
      case 'keys-unreadable':
        return logUnreadableKeys(log, event)
      case 'key-file-changed':
        return logKeyFile(log, event)
      case 'secret-file-changed':
        return logSecretFile(log, event)
      case 'issuers-changed':
        return logIssuers(log, event)
      case 'issuer-ready':
        return log.info({ issuer: event.issuer, rules: event.rules }, 'tokens of this issuer are accepted')
      case 'provider-trouble':
        return log.warn({ reason: event.reason }, 'the provider of AUTH_LOGIN_ISSUER does not do its part')
      case 'uid-table-changed':
        return logUidTable(log, event)
      case 'api-keys-changed':
        return logApiKeys(log, event)
      case 'cometchat-outage':
        return logOutage(log, event)
      case 'limit-acting':
        return logLimit(log, event)
      case 'audit-writable':
        return log.info({ lost: event.lost }, 'AUDIT_FILE can be written again')
      case 'audit-checkpoint':
        return trail.info({ chain: event.chain, count: event.count, head: event.head }, 'audit checkpoint')
      case 'spans-unsent':
        return log.warn(
          { reason: event.reason, spans: event.spans },
          'spans could not be sent; replies go on without them'
        )
      case 'config-warning':
        return log.warn(event.warning)
      default:
        return event satisfies never
    }
  }
}

const OUTAGES = { unreachable: 'CometChat cannot be reached', silent: 'CometChat answers nothing' } as const

function logOutage(log: Logger, { outage }: EventOf<'cometchat-outage'>): void {
  if (outage === undefined) log.info('CometChat answers again')
  else log.warn(`${OUTAGES[outage]}: until it does again, one read at a time looks`)
}

function logLimit(log: Logger, { policy, times, isEnforced }: EventOf<'limit-acting'>): void {
  log.warn({ policy, times }, isEnforced ? 'a limit refuses requests' : 'a limit would refuse requests')
}

function logReachability(log: Logger, { part, isReachable, reason, ...event }: EventOf<'reachability'>): void {
  const { server = 'Redis', shards } = event
  const isPartly = shards !== undefined && shards.away < shards.all
  if (!isReachable && isPartly) log.warn({ reason, shards }, SHARDS_AWAY)
  else if (isReachable) log.info(REACHABLE[part](server))
  else log.warn(reason === undefined ? {} : { reason }, UNREACHABLE[part](reason ?? 'unknown', server))
}

function logReplicas(log: Logger, { areEnough }: EventOf<'store-replicas'>): void {
  if (areEnough) log.info('enough replicas confirm records again')
  else log.warn('fewer than STORE_WAIT_REPLICAS replicas confirm records: replies with a key are not sent')
}

function logRecovery(log: Logger, { restMs, why }: EventOf<'store-recovering'>): void {
  if (restMs === undefined) log.info('replies with a new key are sent again')
  else {
    const forS = Math.ceil(restMs / 1000)
    log.warn(
      { forS, ...(why !== undefined && { why }) },
      `records may be lost: replies with a new key are not sent for ${forS} s`
    )
  }
}

function logMigration(log: Logger, { schema, from, to }: EventOf<'store-migrated'>): void {
  log.info({ schema, from, to }, from === 0 ? 'tables were made at STORE_URL' : 'the tables at STORE_URL were migrated')
}

function logUnreadableKeys(log: Logger, { name: _, variable, ...fields }: EventOf<'keys-unreadable'>): void {
  log.warn(fields, `the keys of ${variable} cannot be read; trying again`)
}

function logKeyFile(log: Logger, { name: _, problem, ...fields }: EventOf<'key-file-changed'>): void {
  if (problem === undefined) log.info(fields, 'a file of keys changed')
  else log.error({ ...fields, alarm: 'key-file', problem }, 'alarm')
}

function logSecretFile(log: Logger, { name: _, problem, ...fields }: EventOf<'secret-file-changed'>): void {
  if (problem === undefined) log.info(fields, 'a file of shared secrets changed')
  else log.warn({ ...fields, problem }, 'a file of shared secrets is wrong; its former secrets stay')
}

function logIssuers(log: Logger, { issuers, problem }: EventOf<'issuers-changed'>): void {
  if (problem === undefined) log.info({ issuers }, 'the file of AUTH_ISSUERS_FILE changed')
  else log.error({ issuers, alarm: 'issuers-file', problem }, 'alarm')
}

function logApiKeys(log: Logger, { name: _, ...fields }: EventOf<'api-keys-changed'>): void {
  log[fields.accepted ? 'info' : 'warn'](fields, 'COMETCHAT_API_KEY_FILE changed')
}

function logUidTable(log: Logger, { rows, problem }: EventOf<'uid-table-changed'>): void {
  if (problem === undefined) log.info({ rows }, 'the file of UID_TABLE_URL changed')
  else log.warn({ rows, problem }, 'the file of UID_TABLE_URL is wrong; its former rows stay')
}
