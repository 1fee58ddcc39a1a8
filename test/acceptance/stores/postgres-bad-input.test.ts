// What is wrong with a Postgres is one sentence that names the variable and what to do; nothing is sent meanwhile, and
// nothing is lost.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { selfSigned } from '../../helpers/certificate.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { isReplayed, withText } from '../../helpers/keyed-replies.ts'
import { needsPostgres, type PostgresServer, privateDirectory, startPostgres } from '../../helpers/postgres-server.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { readiness, runService, type ServiceEnv } from '../../helpers/service-process.ts'
import { startTcpProxy } from '../../helpers/tcp-proxy.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { until } from '../../helpers/until.ts'

t.setTimeout(240_000)
t.jobs = 2

const STORE_SECRET = 'a-store-secret-for-tests-of-40-bytes-xxx'
/** Before the sentences of a configuration that is refused (exit status 78). */
const CONFIGURATION = 'The configuration is wrong:\n  - '
const IS_ROOT = process.getuid?.() === 0

interface World {
  readonly postgres: PostgresServer
  readonly env: ServiceEnv
  readonly emulator: Awaited<ReturnType<typeof startEmulator>>['emulator']
  readonly parentId: string
}

interface Row {
  readonly title: string
  readonly sentence: RegExp
  /** Makes it wrong; the address, and what else is set. */
  readonly prepare: (world: World, t: Test) => Promise<string | ServiceEnv>
}

/** A user who may make a schema, and what is set for them. */
async function userWith({ query, addUser }: PostgresServer, name: string, setting = ''): Promise<string> {
  const url = await addUser(name)
  await query(`GRANT CREATE ON DATABASE postgres TO ${name}`)
  if (setting !== '') await query(`ALTER ROLE ${name} SET ${setting}`)
  return url
}

const ENDS_THE_START: readonly Row[] = [
  {
    title: 'no right to create',
    sentence:
      /^STORE_URL names a user who may not make or use the tables .*\(STORE_SCHEMA\)\. Let their owner run this:$/,
    prepare: ({ postgres }) => postgres.addUser('nobody_yet')
  },
  {
    title: 'other tables under the same names',
    sentence:
      /^STORE_SCHEMA is taken, where other tables have the names of ours: give it the name of a schema of its own\.$/,
    async prepare({ postgres }) {
      await postgres.query('CREATE SCHEMA taken; CREATE TABLE taken.records (id int)')
      return { STORE_URL: postgres.url, STORE_SCHEMA: 'taken' }
    }
  },
  {
    title: 'read-only',
    sentence:
      /^STORE_URL names a Postgres that takes no writes \(default_transaction_read_only\): name a server or a user/,
    prepare: ({ postgres }) => userWith(postgres, 'reads', 'default_transaction_read_only = on')
  },
  {
    title: 'a wrong password',
    sentence: /^STORE_URL names a Postgres that refuses its user or password\.$/,
    prepare: async ({ postgres }) => (await userWith(postgres, 'forgets')).replace(':secret', ':sesame')
  },
  {
    title: 'a wrong TLS name',
    sentence: /^STORE_URL names a host for which its certificate is not: name it as the certificate does\.$/,
    prepare: (_, t) => behindTls(t)
  },
  {
    title: 'version 11',
    sentence: /^STORE_URL names a Postgres of version 11: 13 or newer is needed\.$/,
    async prepare({ postgres }, t) {
      const [row] = await postgres.query('SHOW server_version_num')
      const proxy = await startTcpProxy(t, postgres.port)
      proxy.rewrites = [String(row?.['server_version_num']), '110022']
      return `postgres://postgres@127.0.0.1:${proxy.port}/postgres`
    }
  },
  {
    title: 'a URL with a typo in its scheme',
    sentence: /^STORE_URL must be memory:, file:PATH, .* or postgres:\/\/\.$/,
    prepare: async ({ postgres }) => postgres.url.replace('postgres:', 'postgras:')
  },
  {
    title: 'a URL with a typo in its port',
    sentence: /^STORE_URL is not postgres:\/\/user\[:password\]@host\[:port\]/,
    prepare: async ({ postgres }) => postgres.url.replace(/:\d+/, ':54322222')
  },
  {
    title: 'a database that is not there',
    sentence: /^STORE_URL names a Postgres that does not have this database: create it, or change the name/,
    prepare: async ({ postgres }) => postgres.url.replace(/postgres$/, 'posgres')
  },
  {
    title: 'a statement timeout of 1 ms',
    sentence:
      /^STORE_URL names a Postgres that cancels statements before they can end: raise statement_timeout .* 500 ms/,
    prepare: ({ postgres }) => userWith(postgres, 'hurries', 'statement_timeout = 1')
  },
  {
    title: 'a Postgres that says committed before it is',
    sentence: /^STORE_URL names a Postgres that says "committed" before it is \(synchronous_commit=off\): set it to on/,
    prepare: ({ postgres }) => userWith(postgres, 'lies', 'synchronous_commit = off')
  }
]

async function behindTls(t: Test): Promise<string> {
  const { cert, key } = selfSigned('elsewhere.test')
  const postgres = await startPostgres({}, { 'server.crt': cert, 'server.key': key })
  t.teardown(() => postgres.stop())
  await postgres.query(`CREATE ROLE app SUPERUSER LOGIN PASSWORD 'secret'`)
  const ca = join(postgres.directory, 'ca.pem')
  writeFileSync(ca, cert)
  return `postgres://app:secret@localhost:${postgres.port}/postgres?sslmode=verify-full&sslrootcert=${encodeURIComponent(ca)}`
}

t.test('a Postgres that cannot be used', needsPostgres(), async t => {
  const postgres = await startPostgres()
  t.teardown(() => postgres.stop())
  const { emulator, env, parentId } = await startEmulator(t)
  const world: World = { postgres, env: { ...env, STORE_SECRET }, emulator, parentId }

  for (const { title, sentence, prepare } of ENDS_THE_START) {
    await t.test(`${title}: the start ends with one sentence`, async t => {
      const prepared = await prepare(world, t)
      const change = typeof prepared === 'string' ? { STORE_URL: prepared } : prepared
      const { exitCode, errors, output } = await runService({ ...world.env, ...change })

      // What is wrong by itself is said with everything else that is.
      const isConfiguration = errors.startsWith(CONFIGURATION)
      t.equal(exitCode, isConfiguration ? 78 : 1)
      const [said = '', ...more] = errors.replace(CONFIGURATION, '').trimEnd().split('\n')
      t.match(said, sentence)
      t.notMatch(errors, /\bat .*:\d+:\d+|sesame|node_modules/, 'and no trace of a stack, and no secret')
      // Statements for an owner follow their sentence.
      t.equal(more.length > 0, title === 'no right to create')
      t.notMatch(output, '"msg":"listening"')
    })
  }
  t.same(emulator.ledger, [], 'nothing was sent')

  await t.test('too many connections: it says so, sends nothing, and goes on when there is one', async t => {
    const storeUrl = await userWith(postgres, 'crowd')
    await postgres.query('ALTER ROLE crowd CONNECTION LIMIT 0')
    const service = await hostService(t, { ...world.env, STORE_URL: storeUrl, STORE_SCHEMA: 'crowd' }, 'listening')
    const { msg } = await service.lineWhere(({ level }) => level === 'error')
    t.match(msg, /^STORE_URL names a Postgres that has no connection left for us: raise its max_connections/)
    t.same(await readiness(service), [503, ['store']])
    expectProblem(t, await postReply(service, { parentId }), 'store-unavailable')
    t.same(emulator.ledger, [])

    await postgres.query('ALTER ROLE crowd CONNECTION LIMIT -1')
    await until(
      () => readiness(service),
      ([status]) => status === 200
    )
    t.equal((await postReply(service, { parentId })).status, 201)
    emulator.clear()
  })

  await t.test(
    'what becomes wrong while it runs ends nothing, is said once, and is over when it is mended',
    async t => {
      const storeUrl = await userWith(postgres, 'changing')
      const service = await hostService(t, { ...world.env, STORE_URL: storeUrl, STORE_SCHEMA: 'changing' })
      const send = (text: string) =>
        postReply(service, { parentId, ...withText(text), headers: { 'idempotency-key': text.replaceAll(' ', '-') } })
      const first = await send('first')
      t.equal(first.status, 201)
      const endSessions = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'changing'`
      for (const [what, sentence, breaking, mending] of [
        [
          'read-only',
          /takes no writes/,
          'SET default_transaction_read_only = on',
          'RESET default_transaction_read_only'
        ],
        ['a statement timeout of 1 ms', /cancels statements/, 'SET statement_timeout = 1', 'RESET statement_timeout'],
        ['a wrong password', /refuses its user or password/, `PASSWORD 'another'`, `PASSWORD 'secret'`],
        ['too many connections', /no connection left/, 'CONNECTION LIMIT 0', 'CONNECTION LIMIT -1'],
        ['committed before it is', /synchronous_commit=off/, 'SET synchronous_commit = off', 'RESET synchronous_commit']
      ] as const) {
        const before = service.logLines().length
        await postgres.query(`ALTER ROLE changing ${breaking}`)
        await postgres.query(endSessions)
        const said = () =>
          service
            .logLines()
            .slice(before)
            .filter(({ level }) => level === 'error')
        await until(() => said().length > 0)
        t.match(said()[0]?.['msg'], sentence, what)
        // What takes less than a millisecond for once goes well, and it is ready for a moment.
        if (what !== 'a statement timeout of 1 ms') {
          await until(
            () => readiness(service),
            ([status]) => status === 503
          )
          t.same(await readiness(service), [503, ['store']], what)
          expectProblem(t, await send(what), 'store-unavailable', { hasKey: true, delivery: 'not-sent' })
          t.equal(said().length, 1, `${what}: said once`)
        }

        await postgres.query(`ALTER ROLE changing ${mending}`)
        await until(
          () => readiness(service),
          ([status]) => status === 200
        )
        const again = await send('first')
        t.same([again.status, isReplayed(again), again.text], [201, true, first.text], `${what}: nothing is lost`)
      }
      t.equal(emulator.ledger.length, 1, 'and nothing else was sent')
      emulator.clear()
    }
  )

  await t.test('a full disk: it says so, sends nothing, and goes on when there is room', needsMount(), async t => {
    const directory = smallDisk(t)
    await postgres.query(`CREATE TABLESPACE small LOCATION '${directory}'`)
    const storeUrl = await userWith(postgres, 'crammed', 'default_tablespace = small')
    await postgres.query('GRANT CREATE ON TABLESPACE small TO crammed')
    const service = await hostService(t, { ...world.env, STORE_URL: storeUrl, STORE_SCHEMA: 'crammed' })
    const send = (text: string) =>
      postReply(service, { parentId, ...withText(text), headers: { 'idempotency-key': text.replaceAll(' ', '-') } })
    const first = await send('first')
    t.equal(first.status, 201)
    await postgres.query('CREATE TABLE filler TABLESPACE small AS SELECT repeat(md5(random()::text), 30) AS x LIMIT 0')
    for (const rows of [1000, 10, 1]) {
      // Smaller and smaller, until not a page is left.
      while (
        await postgres
          .query(`INSERT INTO filler SELECT repeat(md5(i::text), 200) FROM generate_series(1, ${rows}) i`)
          .then(
            () => true,
            () => false
          )
      );
    }
    const sent: string[] = []
    let refused = await send('0')
    for (let turn = 1; refused.status === 201 && turn < 200; turn++) {
      sent.push(refused.json.data.id)
      refused = await send(`${turn}`)
    }
    expectProblem(t, refused, 'store-unavailable', { hasKey: true, delivery: 'not-sent' })
    const { msg } = await service.lineWhere(({ level }) => level === 'error')
    t.match(msg, /^STORE_URL names a Postgres whose disk is full: make room; until then nothing is sent\.$/)
    t.equal(emulator.ledger.length, 1 + sent.length)

    await postgres.query('DROP TABLE filler')
    await until(
      () => readiness(service),
      ([status]) => status === 200
    )
    const again = await send('first')
    t.same([again.status, isReplayed(again), again.text], [201, true, first.text], 'nothing is lost')
  })
})

/** A disk of its own takes the right to mount one, which not every machine gives. */
function needsMount(): { skip?: string } {
  const probe = IS_ROOT && spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0
  return probe ? {} : { skip: 'no disk can be mounted here' }
}

function smallDisk(t: Test): string {
  const directory = join(privateDirectory(), 'disk')
  mkdirSync(directory)
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', directory])
  t.teardown(() => {
    spawnSync('umount', ['--lazy', directory])
    rmSync(dirname(directory), { recursive: true, force: true })
  })
  spawnSync('chown', ['postgres', directory])
  return directory
}
