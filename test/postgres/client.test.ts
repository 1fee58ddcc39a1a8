// What a handshake shows that was under way when it was asked for another.
import t from 'tap'
import { PostgresClient } from '../../src/postgres/client.ts'
import { newDatabase } from '../helpers/postgres-database.ts'
import { needsPostgres } from '../helpers/postgres-server.ts'
import { postgresAddress } from '../lib/addresses.ts'

t.setTimeout(240_000)

t.test('a handshake that began before it was asked for shows nothing', needsPostgres(), async t => {
  const { url } = await newDatabase()
  let isOpen = false
  let isEmptied = false
  let during: Promise<unknown> | undefined
  const client: PostgresClient = new PostgresClient({
    address: postgresAddress(url),
    commandTimeoutMs: 2000,
    connections: 1,
    async handshake(ask) {
      await ask('SELECT 1')
      if (isEmptied) throw new Error('emptied')
      if (!isOpen) return
      during = client.handshake()
      isEmptied = true
    }
  })
  t.teardown(() => client.close())
  await client.open()
  isOpen = true
  await client.handshake()
  await t.rejects(async () => during, { message: 'Postgres cannot be reached' })
})
