// Where records are kept when nobody said where: what is made, what is kept, and what refuses a start.
import { fork } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Config, loadConfig } from '../../src/config/load-config.ts'
import { fileSystemOf } from '../../src/lib/service/file-system.ts'
import { prepareDataDirectory } from '../../src/parts/data-directory.ts'

const GIVEN = 'a-store-secret-of-at-least-32-bytes'
const BOTH_WAYS = /DATA_DIR.*or say with STORE_URL where records are kept: redis:\/\/.*memory:/

function configFor(path: string, more: Readonly<Record<string, string>> = {}): Config {
  const env = {
    COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
    COMETCHAT_API_KEY: 'api-key-1',
    AUTH_JWT_ISSUER: 'https://issuer.test',
    AUTH_JWT_AUDIENCE: 'replies',
    DATA_DIR: path,
    ...more
  }
  return loadConfig(env, () => '')
}

const prepare = (path: string, more = {}) => prepareDataDirectory(configFor(path, more), onDisk)
const secretOf = (path: string, more = {}) => prepare(path, more).config.delivery.secret?.reveal()
const onDisk = () => ({ kind: 'local', name: 'local' }) as const

t.test('the directory and the secret are made once, for this user alone', async t => {
  const path = join(t.testdir(), 'data')

  const first = secretOf(path)
  const second = secretOf(path)

  t.match(first, /^[\w-]{64}$/)
  t.equal(second, first)
  t.equal(statSync(path).mode & 0o777, 0o700)
  t.equal(statSync(join(path, 'store-secret')).mode & 0o777, 0o600)
  t.same(readdirSync(path), ['store-secret'], 'nothing else is left there')
  t.not(secretOf(join(t.testdir(), 'another')), first)
})

t.test('of processes that start together all have the secret of one', async t => {
  const path = join(t.testdir(), 'data')
  const starter = new URL('data-directory-process.ts', import.meta.url)

  const secrets = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const child = fork(starter, [path])
      return new Promise(resolve => child.once('message', resolve))
    })
  )

  t.equal(new Set(secrets).size, 1)
  t.equal(readFileSync(join(path, 'store-secret'), 'utf8').trim(), secrets[0])
})

t.test('the start says where records are and who sees them', async t => {
  const path = t.testdir()

  t.same(prepare(path).notes, [
    `records are in ${path}: only this machine sees them; several instances need STORE_URL=redis://… or postgres://…`
  ])
  t.same(prepare(path, { STORE_URL: 'memory:' }).notes, [])
  t.same(readdirSync(join(path)), ['store-secret'])
})

t.test('a secret that is given is taken, and none is made', async t => {
  const path = t.testdir()

  t.equal(secretOf(path, { STORE_SECRET: GIVEN }), GIVEN)
  t.same(readdirSync(path), [])
})

t.test('with another STORE_URL nothing is made', async t => {
  const path = join(t.testdir(), 'data')

  for (const STORE_URL of ['memory:', 'file:/records.db', 'redis://127.0.0.1']) {
    t.match(prepare(path, { STORE_URL, STORE_SECRET: GIVEN }).config.delivery, { directory: undefined })
  }
  t.throws(() => statSync(path), { code: 'ENOENT' })
})

refuses(
  'records whose secret is gone',
  /DATA_DIR .* holds records whose secret is gone .*posted twice.*STORE_SECRET/,
  path => rmSync(join(path, 'store-secret'))
)
refuses('another secret than that of the records', /^STORE_SECRET is not the secret of the records/, () => undefined, {
  STORE_SECRET: GIVEN
})
refuses(
  'half a secret',
  /store-secret in DATA_DIR holds no secret of at least 32 bytes: restore it, or set STORE_SECRET/,
  path => writeFileSync(join(path, 'store-secret'), 'short\n')
)
refuses('a secret that cannot be read', /store-secret\) cannot be written|DATA_DIR/, path => {
  rmSync(join(path, 'store-secret'))
  mkdirSync(join(path, 'store-secret'))
})

function refuses(title: string, message: RegExp, change: (path: string) => void, more = {}): void {
  t.test(`${title} refuses the start`, async t => {
    const path = t.testdir()
    secretOf(path)
    writeFileSync(join(path, 'replies.db'), '')
    change(path)

    t.throws(() => prepare(path, more), { name: 'StoreError', message })
  })
}

t.test('the same secret given and kept is one', async t => {
  const path = t.testdir({ 'store-secret': `${GIVEN}\n`, 'replies.db': '' })

  t.equal(secretOf(path, { STORE_SECRET: GIVEN }), GIVEN)
})

t.test('a directory that cannot be made or written refuses the start, and both ways out are named', async t => {
  const path = t.testdir({ file: '' })

  for (const [directory, code] of [
    [join(path, 'file'), 'EEXIST'],
    [join(path, 'file', 'data'), 'ENOTDIR'],
    ['/proc/data', 'ENOENT'],
    [join(path, 'none', 'data'), 'ENOENT']
  ] as const) {
    t.throws(() => prepare(directory), { name: 'StoreError', message: BOTH_WAYS })
    t.throws(() => prepare(directory), { message: new RegExp(`cannot be written \\(${code}\\)`) })
  }
})

t.test('a network file system refuses the start, one that goes with the container is warned of', async t => {
  const path = t.testdir()
  const on = (type: number) => (place: string) => fileSystemOf(place, () => type)
  const warningsOn = (type: number) => prepareDataDirectory(configFor(path), on(type)).config.warnings

  for (const [type, name] of [
    [0x6969, 'nfs'],
    [0xff534d42, 'cifs'],
    [0xfe534d42, 'smb'],
    [0x00c36400, 'ceph']
  ] as const) {
    t.throws(() => warningsOn(type), { name: 'StoreError', message: BOTH_WAYS })
    t.throws(() => warningsOn(type), { message: new RegExp(`network file system \\(${name}\\)`) })
  }
  t.same(warningsOn(0x794c7630), [
    'DATA_DIR is on overlayfs: records do not survive the container; mount a volume there'
  ])
  t.same(warningsOn(0x01021994), ['DATA_DIR is on tmpfs: records do not survive the container; mount a volume there'])
  t.match(warningsOn(0x65735546), [/^DATA_DIR is on fuse: records are safe there only if/])
  for (const type of [0xef53, 0x58465342, 0x9123683e]) t.same(warningsOn(type), [], 'ext4, xfs, btrfs')
})

t.test('the type of a file system is read from the system', { skip: !isTmpfs(t) }, async t => {
  t.match(fileSystemOf('/dev/shm'), { kind: 'forgetful', name: 'tmpfs' })
})

function isTmpfs(t: Pick<Test, 'comment'>): boolean {
  try {
    return / \/dev\/shm tmpfs /.test(readFileSync('/proc/mounts', 'utf8'))
  } catch {
    t.comment('there is no /proc/mounts')
    return false
  }
}
