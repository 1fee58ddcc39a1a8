// The last look at what leaves the process. No bug of ours shows a secret, so callers who know it write it where callers may
// write: into a name that goes to the log and the audit file, and into the id of a request, which is answered.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { leaksIn } from '../../helpers/leaks.ts'
import { runService, startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const KEYS = ['0c1f5e6a7b8d9e0f1a2b3c4d5e6f708192a3b4c5', 'a5b4c3d2e1f00918273645546372819a0b1c2d3e'] as const
const STORE_SECRET = 'store-secret-of-a-test-that-must-not-leave'
const AUDIT_SECRET = 'a-secret-of-an-audit-file-in-tests-of-40'
const directory = mkdtempSync(join(tmpdir(), 'tripwire-'))
t.teardown(() => rmSync(directory, { recursive: true, force: true }))
const keyFile = join(directory, 'key')
const auditFile = join(directory, 'audit.ndjson')

writeFileSync(keyFile, KEYS[0])
const { env, parentId } = await startEmulator(t, { apiKeys: KEYS.map(key => ({ key, scope: 'fullAccess' })) })
const service = await startService(
  t,
  {
    ...env,
    COMETCHAT_API_KEY: undefined,
    COMETCHAT_API_KEY_FILE: keyFile,
    STORE_SECRET,
    AUDIT_FILE: auditFile,
    AUDIT_SECRET,
    LOG_LEVEL: 'trace'
  },
  'ready',
  { mayStopSecrets: true }
)

async function replyAs(subject: string, requestId: string): Promise<string> {
  const answer = await postReply(service, {
    parentId,
    token: await tokenFor(subject),
    headers: { 'x-request-id': requestId }
  })
  return JSON.stringify([...answer.headers]) + answer.text
}

t.test('a secret is cut out of answers, the log and the audit file, and each way out has its alarm', async t => {
  const answers = [await replyAs(KEYS[0], 'request-of-the-key'), await replyAs('mallory', KEYS[0])]
  answers.push(await replyAs(STORE_SECRET, 'request-of-the-secret'))
  const unreadable = await fetch(`${service.url}/%zz`, { headers: { 'x-request-id': KEYS[0] } })
  answers.push(JSON.stringify([...unreadable.headers]) + (await unreadable.text()))
  for (const answer of answers) t.same(leaksIn([{ where: 'answer', text: answer }], { key: KEYS[0], STORE_SECRET }), [])
  t.match(answers[1], '"x-request-id","[removed]"')
  t.match(answers[1], '"instance":"urn:request:[removed]"')

  const line = await service.lineWhere(({ requestId }) => requestId === 'request-of-the-key')
  t.match(line, { subject: '[removed]', uid: '[removed]', scheme: 'bearer' })
  for (const exit of ['answer', 'log', 'audit']) {
    const alarm = await service.lineWhere(line => line['alarm'] === 'secret-leak' && line['exit'] === exit)
    t.match(alarm, { level: 'error', msg: 'alarm', variable: 'COMETCHAT_API_KEY', times: 1 })
  }
  t.equal(service.logLines().filter(line => line['alarm'] === 'secret-leak').length, 3, 'one an hour')
})

t.test('the key before a rotation is looked for, and the one after it', async t => {
  writeFileSync(keyFile, KEYS[1])
  await service.lineWhere(({ msg, accepted }) => msg === 'COMETCHAT_API_KEY_FILE changed' && accepted === true)
  for (const [index, key] of KEYS.entries()) {
    await replyAs(key, `request-after-${index}`)
    t.match(await service.lineWhere(({ requestId }) => requestId === `request-after-${index}`), { uid: '[removed]' })
  }
})

t.test('SIGUSR1, which makes Node open a debugger, does nothing', async t => {
  service.process.kill('SIGUSR1')
  await replyAs('alice', 'request-after-the-signal')
  await service.lineWhere(({ requestId }) => requestId === 'request-after-the-signal')
  t.notMatch(service.errors.join(''), /Debugger listening/)
})

t.test('nothing of it is in what is left behind, and the audit file is whole', async t => {
  t.equal(await service.stop('SIGTERM'), 0)
  const audit = readFileSync(auditFile, 'utf8')
  t.match(audit, '"subject":"[removed]"')
  const left = [
    { where: 'log', text: service.output.join('\n') },
    { where: 'standard error', text: service.errors.join('') },
    { where: 'audit', text: audit }
  ]
  t.same(leaksIn(left, { first: KEYS[0], second: KEYS[1], STORE_SECRET, AUDIT_SECRET }), [])
  t.equal((await runService({ AUDIT_SECRET }, ['--audit-verify', auditFile])).exitCode, 0)
})
