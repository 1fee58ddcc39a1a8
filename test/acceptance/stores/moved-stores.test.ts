// What docs/operations.md says of moving the records, and of going back a version: the commands of the page are run.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { scrape } from '../../helpers/metrics.ts'
import { needsPostgres, postgresFor } from '../../helpers/postgres-server.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

t.setTimeout(240_000)
const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
const STORE_SECRET = 'a-secret-of-records-for-tests-of-44-bytes-xx'
const KEYED = { headers: { 'idempotency-key': 'one-reply' } }

function directoryFor(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'moved-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

t.test(
  'a retry on a new Redis that says so is not posted again, and on one that does not it is',
  needsRedis(),
  async t => {
    const { emulator, env, parentId } = await startEmulator(t)
    const file = { ...env, STORE_SECRET, STORE_URL: `file:${directoryFor(t)}/records.db` }
    const old = await startService(t, file)
    t.equal((await postReply(old, { parentId, ...KEYED })).status, 201)
    await old.stop()
    const [, command = ''] = /`redis-cli -u "\$STORE_URL" (HSET [^`]+)`/.exec(page) ?? []
    const [name = '', ...args] = command.split(' ')

    const told = await redisFor(t)
    await told.command(name, ...args)
    const moved = await startService(t, { ...env, STORE_SECRET, STORE_URL: told.url })
    t.equal((await scrape(moved.adminUrl)).value('store_forgetful'), 1)
    const again = await postReply(moved, { parentId, ...KEYED })
    t.equal(again.status, 201, 'it was found in its thread')
    t.equal(emulator.ledger.length, 1)
    await moved.stop()

    const untold = await redisFor(t)
    const blind = await startService(t, { ...env, STORE_SECRET, STORE_URL: untold.url })
    t.equal((await postReply(blind, { parentId, ...KEYED })).status, 201)
    t.equal(emulator.ledger.length, 2, 'which is why the page says so')
  }
)

t.test('a Postgres that says so knows that records are missing', needsPostgres(), async t => {
  const { env } = await startEmulator(t)
  const postgres = await postgresFor(t)
  const settings = { ...env, STORE_SECRET, STORE_URL: postgres.url }
  const first = await startService(t, settings)
  t.equal((await scrape(first.adminUrl)).value('store_forgetful'), 0)
  await first.stop()
  const [, command = ''] = /`psql "\$STORE_URL" -c "(UPDATE [^"]+)"`/.exec(page) ?? []

  await postgres.query(command)
  const moved = await startService(t, settings)
  t.equal((await scrape(moved.adminUrl)).value('store_forgetful'), 1)
})

t.test(
  'a file goes back to version 1 by the command of the page, and forward again, and every answer is still told',
  async t => {
    const { emulator, env, parentId } = await startEmulator(t)
    const path = join(directoryFor(t), 'records.db')
    const settings = { ...env, STORE_SECRET, STORE_URL: `file:${path}` }
    const first = await startService(t, settings)
    const { json } = await postReply(first, { parentId, ...KEYED })
    await first.stop()

    const [, rollback = ''] = /`sqlite3 replies\.db '([^']+)'`/.exec(page) ?? []
    const database = new DatabaseSync(path)
    database.exec(rollback)
    t.same(database.prepare('PRAGMA user_version').get(), { user_version: 1 })
    const columns = database.prepare('PRAGMA table_info(records)').all()
    // Those of the version before: test/delivery/stores/sqlite/store.test.ts opens such a file.
    t.strictSame(
      columns.map(column => column['name']),
      ['key', 'fingerprint', 'owner', 'state', 'lease_ends_at_ms', 'expires_at_ms', 'outcome']
    )
    database.close()

    const next = await startService(t, settings)
    const replayed = await postReply(next, { parentId, ...KEYED })
    t.equal(replayed.headers.get('idempotent-replayed'), 'true')
    t.same(replayed.json, json)
    t.equal(emulator.ledger.length, 1)
  }
)
