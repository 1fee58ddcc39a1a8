// Every event has one line in the log; the lines are an interface, so they are written out here.
import { pino } from 'pino'
import t from 'tap'
import { logEvents } from '../../src/observability/event-log.ts'
import type { ServiceEvent } from '../../src/observability/events.ts'

function linesOf(...events: readonly ServiceEvent[]): object[] {
  const lines: object[] = []
  const options = { base: null, timestamp: false, formatters: { level: (level: string) => ({ level }) } }
  const log = logEvents(pino(options, { write: line => void lines.push(JSON.parse(line)) }))
  for (const event of events) log(event)
  return lines
}

const LINES: readonly (readonly [ServiceEvent, object])[] = [
  [
    { name: 'alarm', alarm: 'key-echoed' },
    { level: 'error', alarm: 'key-echoed', msg: 'alarm' }
  ],
  [
    { name: 'alarm', alarm: 'uid-shared', uid: 'ann' },
    { level: 'error', alarm: 'uid-shared', uid: 'ann', msg: 'alarm' }
  ],
  [
    { name: 'limit-acting', policy: 'user', times: 3, isEnforced: true },
    { level: 'warn', policy: 'user', times: 3, msg: 'a limit refuses requests' }
  ],
  [
    { name: 'limit-acting', policy: 'address', times: 1, isEnforced: false },
    { level: 'warn', policy: 'address', times: 1, msg: 'a limit would refuse requests' }
  ],
  [
    { name: 'cometchat-outage', outage: 'silent' },
    { level: 'warn', msg: 'CometChat answers nothing: until it does again, one read at a time looks' }
  ],
  [
    { name: 'cometchat-outage', outage: 'unreachable' },
    { level: 'warn', msg: 'CometChat cannot be reached: until it does again, one read at a time looks' }
  ],
  [
    { name: 'cometchat-outage', outage: undefined },
    { level: 'info', msg: 'CometChat answers again' }
  ],
  [
    { name: 'user-created', uid: 'ann' },
    { level: 'info', uid: 'ann', msg: 'a CometChat user was created' }
  ],
  [
    { name: 'reachability', part: 'store', isReachable: false, reason: 'ECONNREFUSED' },
    {
      level: 'warn',
      reason: 'ECONNREFUSED',
      msg: 'the Redis of STORE_URL cannot be reached (ECONNREFUSED); trying again'
    }
  ],
  [
    { name: 'reachability', part: 'store', isReachable: true },
    { level: 'info', msg: 'the Redis of STORE_URL can be used again' }
  ],
  [
    { name: 'reachability', part: 'session-store', isReachable: false },
    { level: 'warn', msg: 'no session can be read from AUTH_SESSION_STORE_URL; looking again' }
  ],
  [
    { name: 'reachability', part: 'session-store', isReachable: true },
    { level: 'info', msg: 'sessions can be read from AUTH_SESSION_STORE_URL again' }
  ],
  [
    { name: 'reachability', part: 'login-store', isReachable: false },
    { level: 'warn', msg: 'no login session can be kept at STORE_URL; looking again' }
  ],
  [
    { name: 'reachability', part: 'login-store', isReachable: true },
    { level: 'info', msg: 'login sessions can be kept at STORE_URL again' }
  ],
  [
    { name: 'store-limit', limit: 'memory' },
    {
      level: 'warn',
      msg: 'STORE_URL is memory: delivery records do not survive this process; use file:PATH or redis://'
    }
  ],
  [
    { name: 'store-limit', limit: 'info-forbidden' },
    {
      level: 'warn',
      msg: 'whether the Redis of STORE_URL evicts or has lost records cannot be known: it does not answer INFO to this user'
    }
  ],
  [
    { name: 'store-limit', limit: 'no-append-only-file' },
    {
      level: 'warn',
      msg: 'the Redis of STORE_URL keeps no append-only file: when it restarts, replies are looked for in their threads'
    }
  ],
  [
    { name: 'store-limit', limit: 'config-forbidden' },
    {
      level: 'warn',
      msg: 'whether a restart of the Redis of STORE_URL loses records cannot be known: it does not answer CONFIG GET appendfsync to this user'
    }
  ],
  [
    { name: 'store-replicas', areEnough: false },
    {
      level: 'warn',
      msg: 'fewer than STORE_WAIT_REPLICAS replicas confirm records: replies with a key are not sent'
    }
  ],
  [
    { name: 'store-replicas', areEnough: true },
    { level: 'info', msg: 'enough replicas confirm records again' }
  ],
  [
    { name: 'store-recovering', restMs: 134_001, why: 'it was emptied' },
    {
      level: 'warn',
      forS: 135,
      why: 'it was emptied',
      msg: 'records may be lost: replies with a new key are not sent for 135 s'
    }
  ],
  [
    { name: 'store-recovering', restMs: 134_001 },
    { level: 'warn', forS: 135, msg: 'records may be lost: replies with a new key are not sent for 135 s' }
  ],
  [{ name: 'store-recovering' }, { level: 'info', msg: 'replies with a new key are sent again' }],
  [
    { name: 'store-unusable', problem: 'STORE_URL names a Redis that may evict records.' },
    { level: 'error', msg: 'STORE_URL names a Redis that may evict records.' }
  ],
  [
    { name: 'keys-unreadable', variable: 'AUTH_LOGIN_ISSUER', reason: 'keys-status-302', hint: 'a redirect' },
    {
      level: 'warn',
      reason: 'keys-status-302',
      hint: 'a redirect',
      msg: 'the keys of AUTH_LOGIN_ISSUER cannot be read; trying again'
    }
  ],
  [
    { name: 'key-file-changed', keys: 2 },
    { level: 'info', keys: 2, msg: 'a file of keys changed' }
  ],
  [
    { name: 'key-file-changed', keys: 2, issuer: 'https://issuer.test', problem: 'the file cannot be read' },
    {
      level: 'error',
      keys: 2,
      issuer: 'https://issuer.test',
      alarm: 'key-file',
      problem: 'the file cannot be read',
      msg: 'alarm'
    }
  ],
  [
    { name: 'secret-file-changed', secrets: ['sha256:0a1b2c3d'] },
    { level: 'info', secrets: ['sha256:0a1b2c3d'], msg: 'a file of shared secrets changed' }
  ],
  [
    { name: 'secret-file-changed', secrets: [], issuer: 'app', problem: 'the file cannot be read' },
    {
      level: 'warn',
      secrets: [],
      issuer: 'app',
      problem: 'the file cannot be read',
      msg: 'a file of shared secrets is wrong; its former secrets stay'
    }
  ],
  [
    { name: 'issuers-changed', issuers: 3 },
    { level: 'info', issuers: 3, msg: 'the file of AUTH_ISSUERS_FILE changed' }
  ],
  [
    { name: 'issuers-changed', issuers: 3, problem: 'AUTH_ISSUERS_FILE is not JSON.' },
    { level: 'error', issuers: 3, alarm: 'issuers-file', problem: 'AUTH_ISSUERS_FILE is not JSON.', msg: 'alarm' }
  ],
  [
    { name: 'issuer-ready', issuer: 'https://issuer.test', rules: 'keys by discovery (2)' },
    {
      level: 'info',
      issuer: 'https://issuer.test',
      rules: 'keys by discovery (2)',
      msg: 'tokens of this issuer are accepted'
    }
  ],
  [
    { name: 'provider-trouble', reason: 'token-status' },
    { level: 'warn', reason: 'token-status', msg: 'the provider of AUTH_LOGIN_ISSUER does not do its part' }
  ],
  [
    { name: 'uid-table-changed', rows: 3 },
    { level: 'info', rows: 3, msg: 'the file of UID_TABLE_URL changed' }
  ],
  [
    { name: 'uid-table-changed', rows: 3, problem: 'row 1 has no subject' },
    {
      level: 'warn',
      rows: 3,
      problem: 'row 1 has no subject',
      msg: 'the file of UID_TABLE_URL is wrong; its former rows stay'
    }
  ],
  [
    { name: 'api-keys-changed', accepted: true, keys: ['sha256:00000000'] },
    { level: 'info', accepted: true, keys: ['sha256:00000000'], msg: 'COMETCHAT_API_KEY_FILE changed' }
  ],
  [
    { name: 'config-warning', warning: 'ADMIN_HOST is not loopback: probes are open to the network.' },
    { level: 'warn', msg: 'ADMIN_HOST is not loopback: probes are open to the network.' }
  ]
]

t.test('an event is one line of the log', async t => {
  for (const [event, line] of LINES) t.strictSame(linesOf(event), [line], event.name)
})
