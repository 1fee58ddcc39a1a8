// The audit file: who replied as whom, in lines that cannot be changed, taken out or cut off unseen.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import {
  readiness,
  runService,
  type ServiceEnv,
  type ServiceProcess,
  startService
} from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'

const AUDIT_SECRET = 'a-secret-of-an-audit-file-in-tests-of-40'
const CANARY = 'c4n4ry'

t.setTimeout(240_000)
t.jobs = 2
const { emulator, env, parentId } = await startEmulator(t)

t.test('a line says who replied as whom, and what came of it, and nothing that was sent', async t => {
  const { service, file, stop } = await startAudited(t)
  const token = await tokenFor('alice', { claims: { act: { sub: 'mobile' } } })
  const body = { data: { text: CANARY, metadata: { note: CANARY } } }

  const sent = await postReply(service, {
    parentId,
    token,
    body,
    headers: { 'x-request-id': 'request-1', 'user-agent': CANARY }
  })
  await postReply(service, { parentId: '999999', token, body })
  await postReply(service, { parentId, token: CANARY })

  t.equal(sent.status, 201)
  t.same(await stop(), { exitCode: 0, breaks: [] })
  const [open, reply, refused, close, ...others] = linesOf(file)
  t.match(open, { kind: 'open', mode: 'on', pid: service.process.pid, instance: String, version: String })
  t.match(reply, {
    kind: 'request',
    requestId: 'request-1',
    method: 'POST',
    route: '/threads/:parentId/replies',
    status: 201,
    delivery: 'sent',
    scheme: 'bearer',
    issuer: 'https://issuer.test',
    subject: 'alice',
    uid: 'alice',
    actors: ['mobile'],
    parentId,
    messageId: (sent.json as { data: { id: string } }).data.id,
    keyFingerprint: /^sha256:[0-9a-f]{8}$/
  })
  t.match(refused, {
    kind: 'request',
    code: 'thread-not-found',
    delivery: 'not-sent',
    uid: 'alice',
    parentId: '999999'
  })
  t.match(close, { kind: 'close' })
  t.same(others, [], 'a request of nobody known has a line in the log alone')
  for (const secret of [CANARY, emulator.apiKey, AUDIT_SECRET]) t.notOk(readFileSync(file, 'latin1').includes(secret))
  t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('four workers write one file, and no line into another one', async t => {
  const { service, file, stop } = await startAudited(t, {
    WEB_CONCURRENCY: '4',
    STORE_URL: 'file:records.db',
    UID_MODE: 'hash'
  })
  const token = await longToken()

  let answered = 0
  for (let round = 0; round < 6; round++) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => postReply(service, { parentId: '999999', token }))
    )
    answered += answers.length
  }

  t.same(await stop(), { exitCode: 0, breaks: [] })
  const lines = linesOf(file)
  t.equal(lines.filter(({ kind }) => kind === 'request').length, answered)
  t.ok(
    Math.max(
      ...readFileSync(file, 'latin1')
        .split('\n')
        .map(line => line.length)
    ) > 5000
  )
  t.equal(new Set(lines.filter(({ kind }) => kind === 'close').map(({ chain }) => chain)).size, 4)
})

t.test('a process that is killed leaves an unfinished chain, and the next one begins behind it', async t => {
  const directory = directoryFor(t)
  const first = await startAudited(t, {}, directory)
  await postReply(first.service, { parentId })
  await until(() => linesOf(first.file).some(({ kind }) => kind === 'request'))

  await first.service.stop('SIGKILL')
  t.match(await verify(first.file, first.service), { exitCode: 2, output: /^unfinished: chain/m })

  const second = await startAudited(t, {}, directory)
  t.equal(await second.service.stop(), 0)
  t.match(second.service.output.join('\n'), /"count":2,.*audit checkpoint/, 'its end is in the log')
  t.match(await verify(first.file, first.service, second.service), { exitCode: 2 })
  t.match(linesOf(first.file).at(-2), { kind: 'open', after: { chain: linesOf(first.file)[0]?.['chain'], seq: 1 } })

  const text = readFileSync(first.file, 'latin1')
  writeFileSync(first.file, text.slice(text.indexOf('\n') + 1))
  t.match(await verify(first.file), { exitCode: 1, output: /missing: chain/ })
  writeFileSync(first.file, `${text.split('\n').slice(0, -2).join('\n')}\n`)
  t.match(await verify(first.file, second.service), { exitCode: 1, output: /cut: chain/ }, 'the log has seen its end')
})

t.test('a file that was renamed is followed by another one that goes on from it', async t => {
  const { service, file, stop } = await startAudited(t)
  await postReply(service, { parentId })
  await until(() => linesOf(file).some(({ kind }) => kind === 'request'))

  renameSync(file, `${file}.1`)
  await until(() => existsSync(file))
  await postReply(service, { parentId })

  t.same(await stop(), { exitCode: 0, breaks: [] }, 'by itself')
  t.match(await verify([file, `${file}.1`], service), { exitCode: 0 }, 'both, in any order')
  t.match(await verify(`${file}.1`), { exitCode: 0 })
  t.match(linesOf(`${file}.1`).at(-1), { kind: 'moved' })
  t.match(linesOf(file)[0], { kind: 'continue', from: { count: 3 } })
})

t.test('strict: a disk that is full refuses replies, and tells that nothing was sent', async t => {
  const { service, file, stop } = await startAudited(t, { AUDIT: 'strict' })
  t.equal((await postReply(service, { parentId })).status, 201)
  t.match(linesOf(file).slice(0, 2), [
    { kind: 'open', mode: 'strict' },
    { kind: 'intent', uid: 'alice', parentId }
  ])
  await limitFiles(service, statSync(file).size + 100)
  const order = {
    parentId,
    headers: { 'idempotency-key': 'strict-1' },
    body: { data: { text: 'while the disk is full' } }
  }
  const posts = () => emulator.ledger.filter(({ message }) => message.data['text'] === order.body.data.text).length

  const refused = await postReply(service, order)

  t.match(refused, { status: 503, json: { code: 'store-unavailable', delivery: 'not-sent', retryable: true } })
  t.equal(posts(), 0, 'nothing was posted')
  t.match(await readiness(service), [503, ['audit-file']])
  t.match(await service.lineWhere(({ alarm }) => alarm === 'audit-unwritable'), { reason: /^(EFBIG|short-write)$/ })

  await limitFiles(service, 'unlimited')
  await until(
    () => readiness(service),
    ([status]) => status === 200
  )
  t.equal((await postReply(service, order)).status, 201)
  t.equal(posts(), 1)
  t.same(await stop(), { exitCode: 0, breaks: [] }, 'what could not be written for a while is there')
  t.match(
    linesOf(file).find(({ kind }) => kind === 'gap'),
    { lost: 0 }
  )
})

t.test('on: a disk that is full is an alarm and no refusal', async t => {
  const { service, file, stop } = await startAudited(t)
  await limitFiles(service, statSync(file).size + 100)

  for (let index = 0; index < 5; index++) t.equal((await postReply(service, { parentId })).status, 201)

  await service.lineWhere(({ alarm }) => alarm === 'audit-unwritable')
  const { status, json } = await get(`${service.adminUrl}/readyz?verbose`)
  t.match(
    { status, json },
    { status: 200, json: { warnings: [/^AUDIT_FILE cannot be written \((EFBIG|short-write)\)$/] } }
  )
  await limitFiles(service, 'unlimited')
  await service.lineWhere(({ msg }) => msg === 'AUDIT_FILE can be written again')
  t.same(await stop(), { exitCode: 0, breaks: [] })
  t.equal(linesOf(file).filter(({ kind }) => kind === 'request').length, 5)
})

t.test('a pipe that nobody reads from holds up no reply and no end', async t => {
  const fifo = join(directoryFor(t), 'audit')
  await promisify(execFile)('mkfifo', [fifo])
  t.match(await runService({ ...env, AUDIT_FILE: fifo, AUDIT_SECRET }), {
    exitCode: 1,
    errors: /^AUDIT_FILE cannot be opened for appending \(ENXIO\): a pipe without a reader/
  })
  const reader = await import('node:fs/promises').then(({ open }) => open(fifo, 'r+'))
  t.teardown(() => reader.close())
  const service = await startService(t, { ...env, UID_MODE: 'hash', AUDIT_FILE: fifo, AUDIT_SECRET })
  const token = await longToken()

  const answers = await Promise.all(Array.from({ length: 20 }, () => postReply(service, { parentId: '999999', token })))
  t.ok(answers.every(({ status }) => status === 403))

  await service.lineWhere(({ alarm }) => alarm === 'audit-unwritable')
  t.equal(await service.stop(), 0)
})

t.test('settings that cannot work are refused, and say which', async t => {
  const nowhere = join(directoryFor(t), 'none', 'audit.log')
  for (const [settings, exitCode, errors] of [
    [{ AUDIT: 'on' }, 78, /AUDIT=on needs AUDIT_FILE\./],
    [{ AUDIT_FILE: nowhere }, 78, /AUDIT_FILE needs AUDIT_SECRET/],
    [{ AUDIT_FILE: nowhere, AUDIT_SECRET: 'short' }, 78, /AUDIT_SECRET must have at least 32 bytes/],
    [{ AUDIT_FILE: nowhere, AUDIT_SECRET, AUDIT: 'sometimes' }, 78, /AUDIT must be one of: off, on, strict\./],
    [{ AUDIT_FILE: nowhere, AUDIT_SECRET }, 1, /^AUDIT_FILE cannot be opened for appending \(ENOENT\)/]
  ] as const) {
    t.match(await runService({ ...env, ...settings }), { exitCode, errors })
  }
})

async function startAudited(t: Test, settings: ServiceEnv = {}, directory = directoryFor(t)) {
  const file = join(directory, 'audit.log')
  const store = settings['STORE_URL']
    ? { STORE_URL: `file:${join(directory, 'records.db')}`, STORE_SECRET: 'a-secret-of-records-in-tests-of-40-bytes' }
    : {}
  const service = await startService(t, { ...env, ...settings, ...store, AUDIT_FILE: file, AUDIT_SECRET })
  return {
    service,
    file,
    async stop() {
      t.equal(await service.stop(), 0)
      const { exitCode, output } = await verify(file, service)
      return { exitCode, breaks: output.split('\n').filter(line => /^\/.*:/.test(line)) }
    }
  }
}

/** What the command says of a file, held against the logs of some services. */
async function verify(files: string | string[], ...services: ServiceProcess[]) {
  const directory = mkdtempSync(join(tmpdir(), 'audit-'))
  const logs = services.map(({ output }, index) => {
    writeFileSync(join(directory, `${index}.log`), `${output.join('\n')}\n`)
    return ['--anchors', join(directory, `${index}.log`)]
  })
  const result = await runService({ AUDIT_SECRET }, ['--audit-verify', ...[files].flat(), ...logs.flat()])
  rmSync(directory, { recursive: true })
  return result
}

/** Of a user whose lines are longer than a page of memory, and than what a pipe takes in one piece: six bytes a character. */
function longToken(): Promise<string> {
  const name = 'Å'.repeat(500)
  return tokenFor(name, { claims: { act: { sub: name, act: { sub: name, act: { sub: name } } } } })
}

/** Past this size the system takes no byte more, as on a disk that is full. */
async function limitFiles({ process }: ServiceProcess, bytes: number | 'unlimited'): Promise<void> {
  await promisify(execFile)('prlimit', [`--pid=${process.pid}`, `--fsize=${bytes}:`])
}

function linesOf(file: string): { kind: string; chain: string; [member: string]: unknown }[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return text
    .split('\n')
    .filter(line => line.endsWith('"}'))
    .map(line => JSON.parse(line))
}

async function get(url: string) {
  const response = await fetch(url)
  return { status: response.status, json: await response.json() }
}

function directoryFor(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'audit-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
