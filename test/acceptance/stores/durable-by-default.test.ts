// Who changes nothing keeps the promise: records and their secret survive the process, in a directory of their own.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { runService, type ServiceEnv, startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

t.setTimeout(240_000)
t.jobs = 2
const { emulator, env, parentId } = await startEmulator(t)
const keyed = (key: string) => ({ parentId, headers: { 'idempotency-key': key } })

t.test('an answered reply is replayed after kill -9, without a variable that says where records are', async t => {
  const settings = settingsIn(directoryFor(t))
  const first = await startService(t, settings)
  const order = { ...keyed('by-default'), body: { data: { text: 'kept by default' } } }
  const posted = await postReply(first, order)
  await first.stop('SIGKILL')

  const second = await hostService(t, settings)
  const again = await postReply(second, order)

  t.equal(posted.status, 201)
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  t.equal(again.text, posted.text)
  t.equal(emulator.ledger.filter(({ message }) => message.data['text'] === 'kept by default').length, 1)
  t.match(
    second.logLines().find(({ msg }) => msg === 'listening'),
    { store: 'file' }
  )
  t.match(
    second.logLines().map(({ msg }) => msg),
    [
      `records are in ${settings['DATA_DIR']}: only this machine sees them; several instances need STORE_URL=redis://… or postgres://…`
    ]
  )
})

t.test('workers share the records, and one secret, from the first start on', async t => {
  const directory = directoryFor(t)
  const service = await startService(t, { ...settingsIn(directory), WEB_CONCURRENCY: '4' })

  const answers = await Promise.all(Array.from({ length: 12 }, () => postReply(service, keyed('workers'))))
  const statuses = new Set(answers.map(({ status }) => status))
  const replays = await Promise.all(Array.from({ length: 12 }, () => postReply(service, keyed('workers'))))

  t.ok([...statuses].every(status => status === 201 || status === 409))
  t.ok(replays.every(({ status, headers }) => status === 201 && headers.get('idempotent-replayed') === 'true'))
  t.ok(readdirSync(directory).includes('store-secret'))
  t.equal(service.logLines().filter(({ msg }) => String(msg).startsWith('records are in')).length, 1, 'said once')
})

t.test('records whose secret is gone refuse the start, also of workers, and the next step is said', async t => {
  const directory = directoryFor(t)
  await (await startService(t, settingsIn(directory))).stop()
  rmSync(join(directory, 'store-secret'))

  for (const more of [{}, { WEB_CONCURRENCY: '2' }]) {
    t.match(await runService({ ...settingsIn(directory), ...more }), {
      exitCode: 1,
      errors: /^DATA_DIR \(.*\) holds records whose secret is gone .*\n$/
    })
  }
})

t.test('a directory that cannot be used refuses the start, and names both ways out', async t => {
  const file = join(directoryFor(t), 'file')
  writeFileSync(file, '')

  t.match(await runService(settingsIn(file)), {
    exitCode: 1,
    errors:
      /^DATA_DIR \(.*\) cannot be written \(EEXIST\): .*set DATA_DIR to another directory, or say with STORE_URL.*\n$/
  })
})

t.test('a check of the configuration makes nothing, and says where records will be', async t => {
  const directory = join(directoryFor(t), 'data')

  const { exitCode, output } = await runService(settingsIn(directory), ['--check-config'])

  t.equal(exitCode, 0)
  t.match(output, `records      file ${join(directory, 'replies.db')}, secret in ${join(directory, 'store-secret')}`)
  t.throws(() => readdirSync(directory), { code: 'ENOENT' })
})

t.test('memory is a choice, said at the start and by readyz', async t => {
  const service = await hostService(t, { ...env, STORE_URL: 'memory:' })

  const answer = await fetch(`${service.adminUrl}/readyz?verbose`)

  t.match(await answer.json(), { status: 'ready', warnings: [/^STORE_URL is memory: records do not survive/] })
  t.match(
    service.logLines().find(({ level }) => level === 'warn'),
    { msg: /^STORE_URL is memory: delivery records do not survive this process/ }
  )
})

function settingsIn(directory: string): ServiceEnv {
  return { ...env, STORE_URL: undefined, DATA_DIR: directory }
}

function directoryFor(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'data-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
