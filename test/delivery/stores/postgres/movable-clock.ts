// The clock of a Postgres cannot be moved: so its statements look at another one.
import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import type { Ends, PostgresServer } from '../../../helpers/postgres-server.ts'

export interface MovableClock {
  /** Which it belongs to. */
  readonly schema: string
  /** SQL of what it shows. */
  readonly clock: string
  /** What passes, without the jumps. */
  monotonic(): number
  /** Of this clock alone. */
  jump(ms: number): Promise<unknown>
  /** Time passes on both clocks in one moment: a beat in between would see one of them jump. */
  pass(ms: number): Promise<void>
  /** Back to where it began, for who has not seen it. */
  reset(): Promise<void>
}

export function newSchema(): string {
  return `t_${randomUUID().replaceAll('-', '')}`
}

/** A clock of a new schema, which stands until it is moved, or `runs` as the others do. */
export async function movableClock(
  t: Ends,
  { url }: Pick<PostgresServer, 'url'>,
  pace: 'stands' | 'runs' = 'stands'
): Promise<MovableClock> {
  const schema = newSchema()
  const table = `public.clock_of_${schema}`
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  t.teardown(() => client.end())
  await client.query(`CREATE TABLE ${table} AS SELECT clock_timestamp() AS began, interval '0' AS moved`)
  const startedAtMs = performance.now()
  let passedMs = 0
  const jump = (ms: number) => client.query(`UPDATE ${table} SET moved = moved + ${ms} * interval '1 millisecond'`)
  return {
    schema,
    clock: `(SELECT ${pace === 'runs' ? 'clock_timestamp()' : 'began'} + moved FROM ${table})`,
    monotonic: () => passedMs + (pace === 'runs' ? performance.now() - startedAtMs : 0),
    jump,
    async pass(ms) {
      await client.query(`BEGIN; LOCK TABLE ${table}`)
      passedMs += ms
      await jump(ms)
      await client.query('COMMIT')
    },
    async reset() {
      passedMs = 0
      await client.query(`UPDATE ${table} SET moved = interval '0'`)
    }
  }
}
