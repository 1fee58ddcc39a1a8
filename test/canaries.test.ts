// That a leak fails a test: services that are made to leak, in each way that the helper watches.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readLiveFolder } from './helpers/live-folder.ts'
import { runService, type ServiceEnv, startService } from './helpers/service-process.ts'
import { postReply, startEmulator } from './helpers/thread.ts'
import { tokenFor } from './helpers/tokens.ts'

/** Runs in the service before anything else, as a fault of ours would: past every guard. */
const FAULTS = `
  import { appendFileSync } from 'node:fs'
  import { ServerResponse } from 'node:http'
  const { COMETCHAT_API_KEY: key, STORE_SECRET: secret, AUDIT_FILE: file, LEAKS } = process.env
  if (LEAKS === 'yes') {
    process.stderr.write('at ' + key.slice(0, 9))
    setTimeout(() => process.stderr.write(key.slice(9)), 100)
    console.log(JSON.stringify({ msg: 'dump', of: Buffer.from('x' + secret).toString('base64') }))
    if (file) appendFileSync(file + '.1', Buffer.from(key).toString('hex'))
    const { writeHead } = ServerResponse.prototype
    ServerResponse.prototype.writeHead = function (...head) {
      this.setHeader('x-of-the-key', encodeURIComponent(key))
      return writeHead.apply(this, head)
    }
  }
`
const directory = mkdtempSync(join(tmpdir(), 'canaries-'))
t.teardown(() => rmSync(directory, { recursive: true, force: true }))
const faults = join(directory, 'faults.mjs')
writeFileSync(faults, FAULTS)
const { env, parentId } = await startEmulator(t)
const base: ServiceEnv = { ...env, NODE_OPTIONS: `--import=${faults}`, LEAKS: 'no' }

/** The errors that a test would fail with at its end. */
async function start(more: ServiceEnv, act: (service: Awaited<ReturnType<typeof startService>>) => Promise<unknown>) {
  const atEnd: (() => unknown)[] = []
  const service = await startService({ teardown: end => void atEnd.push(end) }, { ...base, ...more })
  await act(service)
  const errors: string[] = []
  for (const end of atEnd) await Promise.resolve(end()).catch((error: Error) => errors.push(error.message))
  return errors
}

t.test('a service that leaks nothing fails no test', async t => {
  const errors = await start({}, async service => t.equal((await postReply(service, { parentId })).status, 201))
  t.same(errors, [])
})

t.test('a secret in a log, an answer or a file is found, also in two pieces, and fails the test', async t => {
  const AUDIT_FILE = join(directory, 'audit.ndjson')
  const audit = { AUDIT_FILE, AUDIT_SECRET: 'a-secret-of-an-audit-file-in-tests-of-40' }
  const [error = '', ...others] = await start({ ...audit, LEAKS: 'yes' }, async service => {
    t.equal((await postReply(service, { parentId })).status, 201)
  })
  t.same(others, [])
  t.match(error, /^a secret left the service: /)
  for (const leak of [
    'COMETCHAT_API_KEY, plain, in standard error',
    'STORE_SECRET, base64 at 1, in standard output',
    'COMETCHAT_API_KEY, plain, in an answer',
    'COMETCHAT_API_KEY, hex, in audit.ndjson.1'
  ]) {
    t.match(error, leak)
  }
})

t.test('that the service had to cut one out fails the test, too', async t => {
  const token = await tokenFor(String(env.COMETCHAT_API_KEY))
  const errors = await start({}, async service => {
    await postReply(service, { parentId, token })
    await service.lineWhere(({ alarm }) => alarm === 'secret-leak')
  })
  t.match(errors, [/COMETCHAT_API_KEY, cut out of log/])
})

t.test('a command that shows a secret fails the test', async t => {
  await t.rejects(runService({ ...base, LEAKS: 'yes', STORE_SECRET: undefined }, ['--check-config']), {
    message: /COMETCHAT_API_KEY, plain, in standard error/
  })
  t.equal((await runService(base, ['--check-config'])).exitCode, 0)
})

t.test('a file that goes while they are read is no error, and what was in it is found where it went', async t => {
  const folder = mkdtempSync(join(directory, 'live-'))
  for (const name of ['replies.db', 'replies.db-wal', 'others.db']) writeFileSync(join(folder, name), `of ${name}`)
  const files = readLiveFolder(folder, 'replies.db', path => {
    rmSync(join(folder, 'replies.db-wal'), { force: true })
    writeFileSync(join(folder, 'replies.db'), 'of replies.db-wal')
    return readFileSync(path, 'latin1')
  })
  t.same(files, [{ name: 'replies.db', text: 'of replies.db-wal' }])
})
