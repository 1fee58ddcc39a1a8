// A database of a test's own in a Postgres that a whole file shares: a server costs as much CPU as sixty databases.
import root from 'tap'
import { ask, type PostgresServer, startPostgres } from './postgres-server.ts'

let server: Promise<PostgresServer> | undefined
let last = 0

/** What a test can do with a database alone: a server that is paused, killed or followed is its own (`postgresFor`). */
export async function newDatabase(): Promise<Pick<PostgresServer, 'url' | 'query' | 'pause' | 'resume'>> {
  server ??= startForFile()
  const { url, query, pause, resume } = await server
  const name = `of_test_${++last}`
  await query(`CREATE DATABASE ${name}`)
  const own = url.replace(/\/postgres$/, `/${name}`)
  return { url: own, query: (sql, values = []) => ask(own, sql, values), pause, resume }
}

/** Ends with the file, also where a process runs several. */
async function startForFile(): Promise<PostgresServer> {
  const started = await startPostgres()
  root.teardown(() => {
    server = undefined
    return started.stop()
  })
  return started
}
