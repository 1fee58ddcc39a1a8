import { readFileSync } from 'node:fs'
import { Client, type ClientConfig } from 'pg'
import { awakeTimeout } from '../lib/clock.ts'
import { createDeferred } from '../lib/node20/deferred.ts'
import type { PostgresAddress, PostgresHost } from '../lib/service/postgres-address.ts'
import { StoreError } from '../lib/service/store-error.ts'

export type Row = Readonly<Record<string, unknown>>

/** Runs one statement. It is not named, and nothing is left behind in the session: a pooler may give it to others. */
export type Ask = (text: string, values?: readonly unknown[], timeoutMs?: number) => Promise<readonly Row[]>

/** The server has answered nothing for as long as was to be waited. */
export class NoAnswer extends Error {
  readonly code = 'ETIMEDOUT'
}

/** How the hosts of an address are connected to; nothing is taken from the environment, where pg would look. */
export type Connect = (host: PostgresHost, onEnd: (reason: Error) => void) => Promise<PostgresConnection>

const GOODBYE_MS = 200

/** Throws a StoreError where the file of authorities cannot be read. */
export function connector(address: PostgresAddress, timeoutMs: number): Connect {
  const { username, database, password, tls } = address
  const ca = address.rootCertFile === undefined ? undefined : readAuthorities(address.rootCertFile)
  return async (host, onEnd) => {
    const config: ClientConfig = {
      host: host.host,
      port: host.port,
      user: username,
      database,
      // A function, so that pg looks for no file of passwords.
      password: () => password?.reveal() ?? '',
      ssl: tls === 'disable' || host.host.startsWith('/') ? false : tlsOptions(tls, ca),
      sslnegotiation: 'postgres',
      client_encoding: 'utf8',
      application_name: 'thread-reply-bff',
      connectionTimeoutMillis: timeoutMs + 100,
      keepAlive: true
    }
    return await PostgresConnection.open(config, timeoutMs, onEnd)
  }
}

function tlsOptions(tls: PostgresAddress['tls'], ca: string | undefined): ClientConfig['ssl'] {
  const authorities = ca === undefined ? {} : { ca }
  if (tls === 'require') return { rejectUnauthorized: false }
  if (tls === 'verify-ca') return { ...authorities, rejectUnauthorized: true, checkServerIdentity: () => undefined }
  return { ...authorities, rejectUnauthorized: true }
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new StoreError('STORE_URL names an sslrootcert that cannot be read.')
  }
}

/** One connection: one statement at a time, each with an end. */
export class PostgresConnection {
  readonly #client: Client
  readonly #timeoutMs: number
  #end: Error | undefined

  /** Rejects when nobody answers, or refuses. `onEnd` is told once, however an open connection ends. */
  static async open(
    config: ClientConfig,
    timeoutMs: number,
    onEnd: (reason: Error) => void
  ): Promise<PostgresConnection> {
    const connection = new PostgresConnection(new Client(config), timeoutMs)
    await connection.#open(onEnd)
    return connection
  }

  private constructor(client: Client, timeoutMs: number) {
    this.#client = client
    this.#timeoutMs = timeoutMs
  }

  get isOpen(): boolean {
    return this.#end === undefined
  }

  /** A statement that gets no answer takes its connection with it: what would answer later is never heard. */
  async ask(text: string, values: readonly unknown[] = [], timeoutMs = this.#timeoutMs): Promise<readonly Row[]> {
    if (this.#end) throw this.#end
    const { promise: late, reject } = createDeferred<never>()
    const stopWaiting = awakeTimeout(timeoutMs, () => {
      const error = new NoAnswer('Postgres has not answered in time')
      this.close(error)
      reject(error)
    })
    try {
      const { rows } = await Promise.race([this.#client.query(text, [...values]), late])
      return rows
    } finally {
      stopWaiting()
    }
  }

  /** At once, whatever is under way; the server may do it all the same. */
  close(reason = new Error('the connection was closed')): void {
    if (this.#end) return
    this.#end = reason
    this.#client.end().catch(() => undefined)
    // A server that hangs does not answer a goodbye.
    setTimeout(() => this.#client.connection.stream.destroy(), GOODBYE_MS).unref()
  }

  async #open(onEnd: (reason: Error) => void): Promise<void> {
    const end = (reason: Error): void => {
      if (this.#end === undefined || this.#end === reason) onEnd(reason)
      this.#end = reason
    }
    // An error of an idle connection would end the process.
    this.#client.on('error', error => {
      this.#end ??= error
    })
    await this.#client.connect()
    this.#client.on('end', () => end(this.#end ?? new Error('the connection was lost')))
  }
}
