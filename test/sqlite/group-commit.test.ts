// Transitions that share a transaction share its cost, and nothing else.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { GroupCommit } from '../../src/sqlite/group-commit.ts'

/** As stores have it once they are open. */
const BUSY_TIMEOUT_MS = 10

interface Group {
  readonly commits: GroupCommit
  readonly database: DatabaseSync
  /** How another process sees the file. */
  readonly other: DatabaseSync
  readonly counted: { commits: number; failures: number }
  add(number: number): void
  /** What is committed. */
  numbers(): number[]
}

function open(t: Test): Group {
  const path = join(t.testdir(), 'numbers.db')
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA foreign_keys = ON;
    CREATE TABLE numbers (number INTEGER PRIMARY KEY, parent INTEGER REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)`)
  const other = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  const counted = { commits: 0, failures: 0 }
  const commits = new GroupCommit({
    database: countingCommits(database, () => counted.commits++),
    onFailure: () => counted.failures++
  })
  const insert = database.prepare('INSERT INTO numbers VALUES (?, NULL)')
  const select = other.prepare('SELECT number FROM numbers ORDER BY number')
  t.teardown(() => {
    if (database.isOpen) database.close()
    other.close()
  })
  return {
    commits,
    database,
    other,
    counted,
    add: number => void insert.run(number),
    numbers: () => select.all().map(({ number }) => Number(number))
  }
}

function countingCommits(database: DatabaseSync, count: () => void): DatabaseSync {
  const prepare = (sql: string) => {
    const statement = database.prepare(sql)
    if (sql !== 'COMMIT') return statement
    return {
      run: () => {
        count()
        return statement.run()
      }
    }
  }
  return new Proxy(database, {
    get: (target, name) => (name === 'prepare' ? prepare : Reflect.get(target, name, target))
  })
}

const settled = (promises: readonly Promise<unknown>[]) =>
  Promise.allSettled(promises).then(results => results.map(({ status }) => status))

t.test('what is asked for in one turn is one commit, and what is asked for later is another', async t => {
  const { commits, counted, add, numbers } = open(t)

  await Promise.all([1, 2, 3].map(number => commits.run(() => add(number))))
  t.equal(counted.commits, 1)
  await commits.run(() => add(4))
  t.equal(counted.commits, 2)
  t.same(numbers(), [1, 2, 3, 4])
})

t.test('nobody is told anything before everybody else can see it', async t => {
  const { commits, add, numbers } = open(t)
  const told: number[] = []
  const seen: unknown[] = []

  await Promise.all(
    [1, 2, 3].map(async number => {
      await commits.run(() => {
        seen.push(numbers(), [...told])
        add(number)
      })
      told.push(number)
      t.same(numbers(), [1, 2, 3])
    })
  )

  t.same(seen, [[], [], [], [], [], []], 'while they run, nothing is there and nobody knows')
})

t.test('each hears its own answer', async t => {
  const { commits } = open(t)

  t.same(await Promise.all(['a', 'b'].map(text => commits.run(() => text))), ['a', 'b'])
})

t.test('more than fit into one transaction get several', async t => {
  const { commits, counted, add, numbers } = open(t)
  const wanted = Array.from({ length: 600 }, (_, number) => number)

  await Promise.all(wanted.map(number => commits.run(() => add(number))))

  t.equal(counted.commits, 3)
  t.same(numbers(), wanted)
})

t.test('one that throws is rejected alone', async t => {
  const { commits, counted, add, numbers } = open(t)

  const results = await settled([
    commits.run(() => add(1)),
    commits.run(() => {
      throw new Error('unreadable')
    }),
    commits.run(() => add(1)),
    commits.run(() => add(2))
  ])

  t.same(results, ['fulfilled', 'rejected', 'rejected', 'fulfilled'])
  t.same(numbers(), [1, 2])
  t.same(counted, { commits: 1, failures: 2 })
})

t.test('one that ends the transaction of all is rejected alone, and the others are committed', async t => {
  const { commits, database, counted, add, numbers } = open(t)
  const ruin = database.prepare('INSERT OR ROLLBACK INTO numbers VALUES (1, NULL)')

  const results = await settled([
    commits.run(() => add(1)),
    commits.run(() => ruin.run()),
    commits.run(() => add(2)),
    commits.run(() => add(3))
  ])

  t.same(results, ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  t.same(numbers(), [1, 2, 3])
  t.equal(counted.failures, 1)
})

t.test('a commit that fails is told to nobody as done: who cannot be kept is rejected, the others are', async t => {
  const { commits, database, add, numbers } = open(t)
  const orphan = database.prepare('INSERT INTO numbers VALUES (2, 99)')

  const results = await settled([commits.run(() => add(1)), commits.run(() => orphan.run()), commits.run(() => add(3))])

  t.same(results, ['fulfilled', 'rejected', 'fulfilled'])
  t.same(numbers(), [1, 3])
})

t.test('a file that somebody else has locked is waited for once, not once for each', async t => {
  const { commits, other, counted, add, numbers } = open(t)
  other.exec('BEGIN IMMEDIATE')

  const startedAtMs = performance.now()
  const results = await settled([1, 2, 3, 4, 5, 6].map(number => commits.run(() => add(number))))
  const waitedMs = performance.now() - startedAtMs
  other.exec('COMMIT')

  t.same(new Set(results), new Set(['rejected']))
  t.ok(waitedMs < 3000, `${Math.round(waitedMs)} ms`)
  t.equal(counted.failures, 6)
  t.same(numbers(), [])
  await commits.run(() => add(7))
  t.same(numbers(), [7], 'it works again by itself')
})

t.test('what waits can be committed at once, and after that nothing is left to do', async t => {
  const { commits, database, counted, add, numbers } = open(t)
  const waiting = [1, 2].map(number => commits.run(() => add(number)))

  commits.flush()
  t.same(numbers(), [1, 2])
  database.close()

  t.same(await settled(waiting), ['fulfilled', 'fulfilled'])
  t.equal(counted.commits, 1)
  await t.rejects(
    commits.run(() => undefined),
    'a database that is closed takes nothing'
  )
})

t.test('one that cannot wait has a transaction of its own', async t => {
  const { commits, counted, add, numbers } = open(t)
  const waiting = commits.run(() => add(1))

  commits.runNow(() => add(2))
  t.same(numbers(), [2])
  t.throws(() => commits.runNow(() => add(2)))
  await waiting

  t.same(numbers(), [1, 2])
  t.same(counted, { commits: 2, failures: 1 })
})
