// What a handshake shows that was under way when it was asked for another.
import t from 'tap'
import { PostgresClient } from '../../src/postgres/client.ts'
import { emptiedDuringHandshake } from '../helpers/emptied-during-handshake.ts'
import { newDatabase } from '../helpers/postgres-database.ts'
import { needsPostgres } from '../helpers/postgres-server.ts'
import { postgresAddress } from '../lib/addresses.ts'

t.setTimeout(240_000)

t.test('a handshake that began before it was asked for shows nothing', needsPostgres(), async t => {
  const { url } = await newDatabase()
  await emptiedDuringHandshake(
    t,
    'Postgres cannot be reached',
    answered =>
      new PostgresClient({
        address: postgresAddress(url),
        commandTimeoutMs: 2000,
        connections: 1,
        async handshake(ask) {
          await ask('SELECT 1')
          answered()
        }
      })
  )
})
