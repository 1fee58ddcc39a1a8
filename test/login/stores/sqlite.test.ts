import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { createService } from '../../../src/app.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { createMemoryStore } from '../../../src/delivery/stores/memory/store.ts'
import { createFileSessionStore } from '../../../src/login/stores/sqlite.ts'
import { fastestMs } from '../../helpers/fastest.ts'

const record = { sealed: 'sealed', indexKeys: ['a'], idleEndsAtMs: 1000, endsAtMs: 1000 }

function folderFor(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'login-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A service with a login whose sessions cannot be kept: their file is not a database. */
function brokenEnv(t: Test): Record<string, string> {
  const path = join(folderFor(t), 'records.db')
  writeFileSync(`${path}.login`, 'this is a letter, and no database; '.repeat(40))
  return {
    COMETCHAT_BASE_URL: 'http://127.0.0.1:1',
    COMETCHAT_API_KEY: 'a08ff49b6f772632716c43069c43a8c3b7cf3c25',
    AUTH_LOGIN_ISSUER: 'https://login.example.com',
    AUTH_LOGIN_CLIENT_ID: 'client',
    AUTH_LOGIN_CLIENT_SECRET: 'a-secret-of-this-client',
    AUTH_LOGIN_URL: 'https://chat.example.com',
    STORE_URL: `file:${path}`,
    STORE_SECRET: 'a-store-secret-that-every-instance-shares',
    PORT: '0',
    ADMIN_PORT: '0'
  }
}

t.test('a file that another process has locked stops this one for a moment only', async t => {
  const path = join(folderFor(t), 'sessions.db')
  const store = createFileSessionStore(path)
  const other = new DatabaseSync(path)
  t.teardown(() => store.close())
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')

  t.ok((await fastestMs(() => t.rejects(store.put('a', record, 0)), 3)) < 1500)
  other.exec('ROLLBACK')
  await store.put('a', record, 0)
  t.match(await store.get('a'), record)
})

t.test('nobody else may read it', async t => {
  const path = join(folderFor(t), 'sessions.db')
  const store = createFileSessionStore(path)
  t.teardown(() => store.close())

  for (const suffix of ['', '-wal', '-shm']) t.equal(statSync(path + suffix).mode & 0o777, 0o600, suffix)
})

t.test('a file that cannot be opened is a sentence about STORE_URL', async t => {
  const folder = folderFor(t)
  writeFileSync(join(folder, 'letter'), 'this is a letter, and no database; '.repeat(40))
  mkdirSync(join(folder, 'directory'))

  for (const path of [join(folder, 'missing', 'sessions.db'), join(folder, 'letter'), join(folder, 'directory')]) {
    t.throws(() => createFileSessionStore(path), { name: 'StoreError', message: /^STORE_URL, .* names a .*\.$/ }, path)
  }
})

t.test('when sessions cannot be kept, the store that is already open is closed', async t => {
  const config = loadConfig(brokenEnv(t), () => '')
  let closed = 0
  const memory = createMemoryStore({ monotonic: () => performance.now() })
  const store = Object.assign(memory, { close: async () => void closed++ })

  await t.rejects(createService(config, { log: pino({ level: 'silent' }), store }), { name: 'StoreError' })

  t.equal(closed, 1)
})

t.test('a start without a place for sessions ends with 1 and one sentence', async t => {
  const child = spawn(process.execPath, ['src/server.ts'], { env: brokenEnv(t), stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))

  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])

  t.equal(code, 1)
  t.equal(said, 'STORE_URL, with .login at its end for sessions, names a file that is not a database.\n')
})
