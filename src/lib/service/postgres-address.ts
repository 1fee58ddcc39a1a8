import { Secret } from '../secret.ts'
import type { Failover } from './failover.ts'
import { isLoopback } from './secure-url.ts'

export interface PostgresHost {
  /** A name, an IP address without brackets, or the directory of a Unix socket. */
  readonly host: string
  readonly port: number
}

/**
 * How a connection is encrypted, in the words of libpq: `require` proves nothing of who answers, `verify-ca` that an
 * authority knows them, `verify-full` that they are the host that was named.
 */
export type PostgresTls = (typeof TLS_WORDS)[number]

export interface PostgresAddress {
  readonly kind: 'postgres'
  /** Tried in this order. */
  readonly hosts: readonly PostgresHost[]
  readonly database: string
  readonly username: string
  readonly password?: Secret
  readonly tls: PostgresTls
  /** The path of a PEM file of authorities; those of Node otherwise. */
  readonly rootCertFile?: string
  readonly schema: string
  readonly failover: Failover
}

export const DEFAULT_SCHEMA = 'thread_reply_bff'

const NOT_A_POSTGRES_ADDRESS =
  'is not postgres://user[:password]@host[:port][,host[:port]][/database]; encode reserved characters in the password.'
const DEFAULT_PORT = 5432
/** User and password, hosts, database, options. */
const SHAPE = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/
const HOST = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/
const TLS_WORDS = ['disable', 'require', 'verify-ca', 'verify-full'] as const
const READ = ['host', 'sslmode', 'sslrootcert']
/** What else stands in such addresses, and is so anyway. */
const HARMLESS: Readonly<Record<string, RegExp>> = {
  target_session_attrs: /^(read-write|primary)$/,
  channel_binding: /^(prefer|disable)$/,
  pgbouncer: /^true$/
}

/** The address, or what is wrong with it: the rest of a sentence that begins with the name of a variable. */
export function readPostgresAddress(text: string): PostgresAddress | string {
  const [whole, userInfo = '', authority = '', path = '', query = ''] = SHAPE.exec(text) ?? []
  const options = new URLSearchParams(query)
  const user = userInfo.split(/:(.*)/s, 2).map(decoded)
  const [username = '', password] = user
  const hosts = readHosts(authority || encodeURIComponent(options.get('host') ?? ''))
  const database = decoded(path)
  if (whole === undefined || !hosts || user.includes(undefined) || database === undefined) return NOT_A_POSTGRES_ADDRESS
  if (username === '') return 'names no user: postgres://user:password@host/database.'
  return (
    problemOf(options) ?? {
      kind: 'postgres',
      hosts,
      database: database || username,
      username,
      ...(password && { password: new Secret(password) }),
      ...tlsOf(options, hosts),
      schema: DEFAULT_SCHEMA,
      failover: 'detect'
    }
  )
}

function tlsOf(
  options: URLSearchParams,
  hosts: readonly PostgresHost[]
): Pick<PostgresAddress, 'tls' | 'rootCertFile'> {
  const byDefault = hosts.every(isLocal) ? 'disable' : 'verify-full'
  const rootCertFile = options.get('sslrootcert') ?? ''
  return {
    tls: TLS_WORDS.find(word => word === options.get('sslmode')) ?? byDefault,
    ...(rootCertFile !== '' && rootCertFile !== 'system' && { rootCertFile })
  }
}

/** Whether what is said to it never leaves this machine. */
export function isLocal({ host }: PostgresHost): boolean {
  return host.startsWith('/') || isLoopback(host)
}

function readHosts(text: string): PostgresHost[] | undefined {
  const hosts = text.split(',').map(one => {
    const [, address, name = '', port] = HOST.exec(one) ?? []
    return { host: address ?? decoded(name) ?? '', port: port === undefined ? DEFAULT_PORT : Number(port) }
  })
  return hosts.every(({ host, port }) => host !== '' && port > 0 && port < 65_536) ? hosts : undefined
}

/** Other options could undo those of this service. */
function problemOf(options: URLSearchParams): string | undefined {
  for (const [name, value] of options) {
    if (name === 'sslmode' && !TLS_WORDS.some(word => word === value)) {
      return `has an sslmode that is none of ${TLS_WORDS.join(', ')}.`
    }
    if (READ.includes(name) || HARMLESS[name]?.test(value)) continue
    const shown = /^[a-zA-Z_]{1,40}$/.test(name) ? name : 'a word'
    return `has the option ${shown}, which is not for this service to follow as it is given there: take it out.`
  }
  return undefined
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
