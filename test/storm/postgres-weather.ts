// A Postgres in bad weather: killed and started again, its PgBouncer too, and once its place is taken by a standby that had
// not received everything.
import { type PgBouncer, startPgBouncer } from '../helpers/pgbouncer.ts'
import { type PostgresServer, startPostgres } from '../helpers/postgres-server.ts'
import { sleep } from './sleep.ts'
import type { StoreWeather } from './store-weather.ts'

export class PostgresWeather implements StoreWeather {
  /** By PgBouncer first, by itself, and by its standby. */
  readonly urls: readonly string[]
  readonly #primary: PostgresServer
  readonly #standby: PostgresServer
  readonly #pgbouncer: PgBouncer
  readonly #ends: readonly (() => unknown)[]
  kills = 0
  hasFailedOver = false

  private constructor(
    primary: PostgresServer,
    standby: PostgresServer,
    pgbouncer: PgBouncer,
    ends: readonly (() => unknown)[]
  ) {
    this.#primary = primary
    this.#standby = standby
    this.#pgbouncer = pgbouncer
    this.#ends = ends
    const hostOf = ({ url }: { readonly url: string }): string => new URL(url).host
    this.urls = [pgbouncer, primary].map(first => `postgres://postgres@${hostOf(first)},${hostOf(standby)}/postgres`)
  }

  static async begin(): Promise<PostgresWeather> {
    const ends: (() => unknown)[] = []
    const primary = await startPostgres({ wal_keep_size: '256MB' })
    ends.push(() => primary.stop())
    const standby = await primary.follow({ teardown: end => void ends.push(end) })
    const pgbouncer = await startPgBouncer(primary)
    ends.push(() => pgbouncer.stop())
    return new PostgresWeather(primary, standby, pgbouncer, ends)
  }

  /** Until it is calm; the failover is in the middle, whenever that is. */
  async blow(seconds: number, random: () => number, calm: AbortSignal): Promise<void> {
    const middle = performance.now() + seconds * 500
    while (performance.now() < middle && !calm.aborted) {
      await sleep(700 + random() * 2000, calm)
      this.kills++
      await (random() < 0.4 ? this.#pgbouncer.restart() : this.#primary.restart())
    }
    await this.#failOver(calm)
  }

  async end(): Promise<void> {
    for (const end of this.#ends.toReversed()) await end()
  }

  /** What is committed in the last moments does not reach the standby. */
  async #failOver(calm: AbortSignal): Promise<void> {
    await this.#standby.query(`ALTER SYSTEM SET primary_conninfo = ''`)
    await this.#standby.query('SELECT pg_reload_conf()')
    await sleep(500, calm)
    await this.#primary.kill()
    await this.#standby.promote()
    this.hasFailedOver = true
  }
}
