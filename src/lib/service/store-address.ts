import { parseUrl } from '../node20/parse-url.ts'
import { Secret } from '../secret.ts'
import { type PostgresAddress, readPostgresAddress } from './postgres-address.ts'

/** Where records or sessions are kept: the only form in which a STORE_URL leaves the configuration. */
export type StoreAddress =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file'; readonly path: string }
  | RedisAddress
  | PostgresAddress

const NO_ADDRESS = 'must be memory:, file:PATH, redis(s)://, redis(s)+sentinel://, redis(s)+cluster:// or postgres://.'

/** Reads `memory:`, `file:PATH`, `redis(s)://…` or `postgres://…`; or says what is wrong, after the name of a variable. */
export function readStoreAddress(text: string): StoreAddress | string {
  if (text === 'memory:') return { kind: 'memory' }
  if (/^file:./.test(text)) return { kind: 'file', path: text.slice('file:'.length) }
  if (/^postgres(ql)?:/.test(text)) return readPostgresAddress(text)
  return /^rediss?(\+[^:/]*)?:/.test(text) ? readRedisAddress(text) : NO_ADDRESS
}

/** The scheme of its URL, without the colon: all that is shown of an address. */
export function schemeOf(address: StoreAddress): string {
  if (address.kind !== 'redis') return address.kind
  const scheme = address.isTls ? 'rediss' : 'redis'
  return address.topology === 'single' ? scheme : `${scheme}+${address.topology}`
}

export interface RedisHost {
  /** A name, or an IP address without brackets. */
  readonly host: string
  readonly port: number
}

export interface RedisAddress {
  readonly kind: 'redis'
  /** One server, the master that sentinels name, or the masters of a Redis Cluster. */
  readonly topology: 'single' | 'sentinel' | 'cluster'
  /** The server; or the sentinels, or some nodes of the cluster, that are asked where the others are. */
  readonly hosts: readonly [RedisHost, ...RedisHost[]]
  /** What the sentinels call the master. */
  readonly master?: string
  readonly database: number
  readonly username?: string
  readonly password?: Secret
  /** For the sentinels; they are never told those of the data. */
  readonly sentinelUsername?: string
  readonly sentinelPassword?: Secret
  /** `rediss`: of every connection, to sentinels too. */
  readonly isTls: boolean
}

const NOT_SINGLE =
  'is not redis(s)://[user:password@]host[:port][/database]; encode reserved characters in the password.'
const NOT_SENTINEL =
  'is not redis(s)+sentinel://[user:password@]host[:port][,host[:port]]/master[/database]; encode reserved characters in ' +
  'the password.'
const NOT_CLUSTER =
  'is not redis(s)+cluster://[user:password@]host[:port][,host[:port]]; encode reserved characters in the password.'
const NO_MASTER = 'names no master: write what the sentinels call it at the end, redis+sentinel://host,host/master.'
const NO_DATABASE = 'names a database, and a Redis Cluster has none but 0: take out what follows the hosts.'
const SEVERAL =
  'names several hosts: redis+sentinel://host,host/master for sentinels, or redis+cluster://host,host for a cluster.'
const UNKNOWN = 'has a scheme that is none of redis, redis+sentinel and redis+cluster, or the same with rediss for TLS.'

const SCHEME = /^(rediss?)(?:\+([^:/]*))?:\/\//
/** User and password, hosts, path, options. */
const REST = /^(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/
const HOST = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s%]+))(?::(\d{1,5}))?$/
/** As sentinel.conf allows it. */
const MASTER = /^[\w.-]{1,100}$/
const DATABASE = /^\d{1,4}$/
const PORTS = { single: 6379, cluster: 6379, sentinel: 26_379 } as const
const OPTIONS = ['sentinel_username', 'sentinel_password']

/** The address, or what is wrong with it: the rest of a sentence that begins with the name of a variable. */
export function readRedisAddress(text: string): RedisAddress | string {
  const [scheme = '', word, kind] = SCHEME.exec(text) ?? []
  if (kind === undefined) return readSingle(text)
  const rest = text.slice(scheme.length)
  if (kind === 'sentinel') return readSentinel(rest, word === 'rediss')
  return kind === 'cluster' ? readCluster(rest, word === 'rediss') : UNKNOWN
}

function readSentinel(text: string, isTls: boolean): RedisAddress | string {
  const parts = readParts(text, PORTS.sentinel)
  if (!parts) return NOT_SENTINEL
  const { path, query, ...common } = parts
  const [master = '', database = '0', more] = path.split('/')
  if (master === '') return NO_MASTER
  const asked = readOptions(query)
  if (!MASTER.test(master) || !DATABASE.test(database) || more !== undefined || !asked) return NOT_SENTINEL
  return { kind: 'redis', topology: 'sentinel', ...common, isTls, master, database: Number(database), ...asked }
}

function readCluster(text: string, isTls: boolean): RedisAddress | string {
  const parts = readParts(text, PORTS.cluster)
  if (parts?.query !== '') return NOT_CLUSTER
  const { path, query: _none, ...common } = parts
  if (path !== '' && path !== '0') return DATABASE.test(path) ? NO_DATABASE : NOT_CLUSTER
  return { kind: 'redis', topology: 'cluster', ...common, isTls, database: 0 }
}

/** What stands behind the scheme, where there may be several hosts. */
function readParts(text: string, defaultPort: number) {
  const [whole, userInfo = '', authority = '', path = '', query = ''] = REST.exec(text) ?? []
  const [username, password] = userInfo.split(/:(.*)/s, 2).map(decoded)
  const hosts = readHosts(authority, defaultPort)
  const isUnreadable = username === undefined || (userInfo.includes(':') && password === undefined)
  if (whole === undefined || !hosts || isUnreadable) return undefined
  return { hosts, path, query, ...credentials(username, password) }
}

/** Options in the query, which a client would take, are refused: they could undo those of this service. */
function readSingle(text: string): RedisAddress | string {
  const url = parseUrl(text)
  const isTls = url?.protocol === 'rediss:'
  const database = url && /^\/?(\d{0,4})$/.exec(url.pathname)
  if (!url?.hostname || !(isTls || url.protocol === 'redis:') || !database || url.search || url.hash) {
    return /^rediss?:\/\/[^/?#]*,[^/?#]*/.test(text) ? SEVERAL : NOT_SINGLE
  }
  const username = decoded(url.username)
  const password = decoded(url.password)
  if (username === undefined || password === undefined) return NOT_SINGLE
  if (url.hostname.includes(',')) return SEVERAL
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return {
    kind: 'redis',
    topology: 'single',
    hosts: [{ host, port: url.port === '' ? PORTS.single : Number(url.port) }],
    database: Number(database[1]),
    ...credentials(username, password),
    isTls
  }
}

function credentials(username: string, password: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  return { ...(username && { username }), ...(password && { password: new Secret(password) }) }
}

function readHosts(text: string, defaultPort: number): [RedisHost, ...RedisHost[]] | undefined {
  const hosts = text.split(',').map(one => {
    const [, address, name = '', port] = HOST.exec(one) ?? []
    return { host: address ?? name, port: port === undefined ? defaultPort : Number(port) }
  })
  const [first, ...others] = hosts
  return first && hosts.every(({ host, port }) => host !== '' && port > 0 && port < 65_536)
    ? [first, ...others]
    : undefined
}

function readOptions(query: string): Pick<RedisAddress, 'sentinelUsername' | 'sentinelPassword'> | undefined {
  const given = query === '' ? [] : query.split('&').map(pair => pair.split(/=(.*)/s, 2))
  const options = new Map(given.map(([name = '', value = '']) => [name, decoded(value)]))
  if ([...options].some(([name, value]) => !OPTIONS.includes(name) || value === undefined)) return undefined
  const [username, password] = OPTIONS.map(name => options.get(name))
  return {
    ...(username && { sentinelUsername: username }),
    ...(password && { sentinelPassword: new Secret(password) })
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
