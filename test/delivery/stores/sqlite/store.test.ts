import { chmodSync, existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { KEPT_MS } from '../../../../src/delivery/record.ts'
import { createFileStore } from '../../../../src/delivery/stores/sqlite/store.ts'
import type { ServiceEvent } from '../../../../src/observability/events.ts'
import { fastestMs } from '../../../helpers/fastest.ts'
import { until } from '../../../helpers/until.ts'
import { testStore } from '../conformance.ts'
import { DONE, newClaim } from '../store-kit.ts'
import { createRecordFile } from './record-file.ts'

t.test('file: does what every store does', t => {
  testStore(t, async t => {
    const { open, clock } = createRecordFile(t)
    return { open: async () => open(), pass: async ms => clock.pass(ms), kept: KEPT_MS }
  })
  t.end()
})

t.test('records are there when the file is opened again', async t => {
  const { open } = createRecordFile(t)
  const claim = newClaim()
  const before = open()
  await before.acquire(claim)
  await before.complete(claim.key, claim.owner, DONE)
  await before.close()

  t.same(await open().acquire(claim), DONE)
})

t.test('only the user of the service can read the file and its log', async t => {
  const { open, path } = createRecordFile(t)
  const store = open()
  await store.acquire(newClaim())

  for (const file of [path, `${path}-wal`, `${path}-shm`]) t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('the file has a write-ahead log', async t => {
  const { open, path } = createRecordFile(t)
  open()
  const other = new DatabaseSync(path)
  t.teardown(() => other.close())

  t.match(other.prepare('PRAGMA journal_mode').get(), { journal_mode: 'wal' })
})

t.test('a relative path and a name that means something to SQLite are plain files', async t => {
  const { directory } = createRecordFile(t)
  const home = process.cwd()
  t.teardown(() => process.chdir(home))
  process.chdir(directory)

  for (const path of ['records-2.db', ':memory:', 'file:x?mode=memory']) {
    const store = createFileStore({ path, clock: { now: Date.now, monotonic: () => 0 } })
    t.same(await store.acquire(newClaim()), { kind: 'acquired' })
    await store.close()
    t.ok(existsSync(join(directory, path)), path)
  }
})

t.test('a file that cannot be used is refused in one sentence that names STORE_URL and shows no path', async t => {
  const { directory } = createRecordFile(t)
  const text = join(directory, 'text')
  const locked = join(directory, 'locked')
  writeFileSync(text, 'not a database at all, but long enough to look for a header in it '.repeat(100))
  mkdirSync(locked)
  chmodSync(locked, 0o500)
  const cases: readonly (readonly [path: string, sentence: RegExp])[] = [
    [join(directory, 'missing', 'records.db'), /a directory that does not exist/],
    [join(text, 'records.db'), /a directory that does not exist/],
    [directory, /cannot be opened/],
    [text, /is not a database/],
    [join(locked, 'records.db'), /a directory that cannot be written/]
  ]

  for (const [path, sentence] of cases) {
    const error = path.startsWith(locked) ? asNobody(() => refusalOf(path)) : refusalOf(path)
    t.equal(error?.name, 'StoreError')
    t.match(error?.message, sentence)
    t.match(error?.message, /^STORE_URL names .*\.$/)
    t.notMatch(error?.message, directory)
  }
})

t.test('the database of another program, or of a newer version, is left alone', async t => {
  const { directory } = createRecordFile(t)
  const foreign = join(directory, 'foreign.db')
  const newer = join(directory, 'newer.db')
  makeDatabase(foreign, 'CREATE TABLE notes (text TEXT)')
  makeDatabase(newer, `PRAGMA application_id = ${0x5265706c}; PRAGMA user_version = 3`)

  t.match(refusalOf(foreign)?.message, /another program/)
  t.match(refusalOf(newer)?.message, /newer version/)
  t.equal(existsSync(`${foreign}-wal`), false)
})

t.test('a file of the version before is opened, and what it holds is what it was', async t => {
  const { open, path } = createRecordFile(t)
  makeDatabase(
    path,
    `CREATE TABLE records (
      key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, owner TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'done', 'refused')),
      lease_ends_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL, outcome TEXT) STRICT;
    CREATE INDEX records_by_expiry ON records (expires_at_ms);
    CREATE TABLE horizon (at_ms INTEGER NOT NULL) STRICT;
    INSERT INTO horizon VALUES (0);
    INSERT INTO records VALUES ('old', '${'a'.repeat(64)}', 'A', 'sent', 1, ${Number.MAX_SAFE_INTEGER}, 'over');
    PRAGMA application_id = ${0x5265706c}; PRAGMA user_version = 1;`
  )
  const store = open()
  const claim = newClaim({ key: 'old', owner: 'B' })

  t.match(await store.acquire(claim), { kind: 'in-doubt', owner: 'A', search: undefined })
  t.equal(await store.noteSearch('old', undefined, 'so far'), true)
  t.match(await store.acquire(claim), { kind: 'in-doubt', search: 'so far' })
})

t.test('a file that another program has locked is refused at start, and waited for only shortly later on', async t => {
  const { open, path } = createRecordFile(t)
  const store = open()
  const other = new DatabaseSync(path)
  t.teardown(() => other.close())
  other.exec('BEGIN EXCLUSIVE')

  t.ok((await fastestMs(() => t.rejects(store.acquire(newClaim())), 3)) < 1000, 'not for long')
  t.equal(store.isReady(), false)

  other.exec('COMMIT')
  t.same(await store.acquire(newClaim()), { kind: 'acquired' }, 'it works again by itself')
})

t.test('while another program has the file locked this thread does other things, and soon says no at once', async t => {
  const { open, path } = createRecordFile(t)
  const store = open()
  const other = new DatabaseSync(path)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  let last = performance.now()
  const gapsMs: number[] = []
  const ticking = setInterval(() => {
    gapsMs.push(performance.now() - last)
    last = performance.now()
  }, 1)

  await Promise.all(Array.from({ length: 20 }, () => t.rejects(store.acquire(newClaim()))))
  clearInterval(ticking)
  const typicalMs = gapsMs.sort((a, b) => a - b)[Math.floor(gapsMs.length / 2)] ?? Number.NaN
  t.ok(gapsMs.length > 5, `${gapsMs.length} turns`)
  t.ok(typicalMs < 50, `${typicalMs} ms`)
  const leastMs = await fastestMs(() => t.rejects(store.acquire(newClaim())))
  t.ok(leastMs < 50, `from then on nothing waits: ${leastMs} ms`)
  other.exec('COMMIT')
})

t.test('a commit of another process is waited for, and nobody notices', async t => {
  const { open, path } = createRecordFile(t)
  const store = open()
  const other = new DatabaseSync(path)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const asked = store.acquire(newClaim())
  setTimeout(() => other.exec('COMMIT'), 60)

  t.same(await asked, { kind: 'acquired' })
  t.equal(store.isReady(), true)
})

t.test('a file that was removed or replaced is written no more, until it is there again', async t => {
  const { open, path, directory } = createRecordFile(t)
  const told: ServiceEvent[] = []
  const store = open({ emit: event => void told.push(event) })
  const claim = newClaim()
  await store.acquire(claim)

  renameSync(path, join(directory, 'elsewhere'))
  t.equal(store.isReady(), false)
  await t.rejects(store.markSent(claim.key, claim.owner))
  writeFileSync(path, '')
  await t.rejects(store.acquire(newClaim()), 'another file in its place')
  await until(() => told.length > 0)
  t.match(told, [{ name: 'store-unusable', problem: /^STORE_URL names a file that was removed or replaced/ }])

  renameSync(join(directory, 'elsewhere'), path)
  t.equal(await store.markSent(claim.key, claim.owner), true)
})

t.test('a disk that is full rejects a new claim and keeps what there is', async t => {
  const { open, clock } = createRecordFile(t)
  const store = open({ maxPages: 12 })
  const claims = Array.from({ length: 500 }, () => newClaim())
  const sent = newClaim()
  await store.acquire(sent)
  await store.markSent(sent.key, sent.owner)

  const seen = await Promise.allSettled(claims.map(claim => store.acquire(claim)))

  const rejected = seen.findIndex(({ status }) => status === 'rejected')
  t.ok(rejected > 10, `${rejected} claims fit`)
  t.equal(store.isReady(), false)
  clock.pass(3000)
  t.equal(store.isReady(), true, 'worth another try after a while')
  t.same(await store.acquire({ ...sent, owner: 'B' }), { kind: 'in-flight' })
  const first = claims[0] ?? sent
  t.equal(await store.markSent(first.key, first.owner), true, 'a record that exists can move on')
})

t.test('a claim that does not fit takes nothing else of its turn with it', async t => {
  const { open } = createRecordFile(t)
  const store = open({ maxPages: 12 })
  const sent = newClaim()
  await store.acquire(sent, 'sent')
  while (await store.acquire(newClaim()).then(...yesOrNo));

  const [acquired, finished, known] = await Promise.allSettled([
    store.acquire(newClaim()),
    store.markInDoubt(sent.key, sent.owner),
    store.acquire({ ...sent, owner: 'B' })
  ])

  t.equal(acquired.status, 'rejected')
  t.equal(finished.status, 'fulfilled')
  t.match(known, { value: { kind: 'in-doubt' } }, 'it has happened')
})

t.test('a record that cannot be read takes nothing else of its turn with it', async t => {
  const { open, path } = createRecordFile(t)
  const store = open()
  const damaged = newClaim()
  await store.acquire(damaged)
  await store.complete(damaged.key, damaged.owner, DONE)
  const vandal = new DatabaseSync(path)
  t.teardown(() => vandal.close())
  vandal.prepare('UPDATE records SET outcome = ? WHERE key = ?').run('{}', damaged.key)

  const results = await Promise.allSettled([newClaim(), damaged, newClaim()].map(claim => store.acquire(claim)))

  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled']
  )
})

t.test('a store that is closed keeps what it was asked for before, and takes nothing after that', async t => {
  const { open } = createRecordFile(t)
  const store = open()
  const claim = newClaim()
  const asked = store.acquire(claim, 'sent')

  await store.close()

  t.same(await asked, { kind: 'acquired-as-sent' })
  await t.rejects(store.acquire(newClaim()))
  t.equal(store.isReady(), false)
  t.same(await open().acquire({ ...claim, owner: 'B' }), { kind: 'in-flight' })
})

t.test('a row that is not one of ours is trouble, never an answer', async t => {
  const { open, path } = createRecordFile(t)
  const store = open()
  const vandal = new DatabaseSync(path)
  t.teardown(() => vandal.close())
  const outcomes = [
    '',
    'x',
    'null',
    '[]',
    '{}',
    '{"kind":"done","messageId":"1","body":"<html>"}',
    '{"kind":"refused"}'
  ]

  for (const outcome of outcomes) {
    const claim = newClaim()
    await store.acquire(claim)
    await store.complete(claim.key, claim.owner, DONE)
    vandal.prepare('UPDATE records SET outcome = ? WHERE key = ?').run(outcome, claim.key)
    await t.rejects(store.acquire(claim), outcome)
  }
})

const yesOrNo = [() => true, () => false] as const

function refusalOf(path: string): Error | undefined {
  try {
    createFileStore({ path, clock: { now: Date.now, monotonic: () => 0 } })
    return undefined
  } catch (error) {
    return error as Error
  }
}

/** Root may write everywhere, and tests often run as root. */
function asNobody<T>(work: () => T): T {
  const isRoot = process.getuid?.() === 0
  if (!isRoot) return work()
  process.seteuid?.(65534)
  try {
    return work()
  } finally {
    process.seteuid?.(0)
  }
}

function makeDatabase(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}
