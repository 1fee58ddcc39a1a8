// The REST keys of this service: one that CometChat refuses is followed by the other, and neither is ever shown.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { IN_MEMORY, type RunningService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

const KEYS = ['1111111111111111111111111111111111111111', '2222222222222222222222222222222222222222']
const [FIRST = '', SECOND = ''] = KEYS
const apiKeys = KEYS.map(key => ({ key, scope: 'fullAccess' as const }))
/** The worse text of the two that were recorded: the whole key stands in it. */
const switches = { keyInErrors: 'repeated' } as const
const body = { data: { text: 'hello' }, receiver: 'bob', receiverType: 'user' }
t.setTimeout(240_000)

t.test('a revoked key is followed by the other one, and the reply is posted once', async t => {
  const { emulator, env, parentId } = await startEmulator(t, { apiKeys, switches })
  const service = await hostService(t, { ...env, COMETCHAT_API_KEY: KEYS.join(',') })
  emulator.revokeKey(FIRST)

  const answers = [await postReply(service, { parentId, body }), await postReply(service, { parentId, body })]

  t.same(
    answers.map(({ status }) => status),
    [201, 201]
  )
  t.equal(emulator.ledger.length, 2)
  t.same(
    emulator.requests.map(({ headers }) => headers['apikey']),
    [FIRST, SECOND, SECOND],
    'the second reply begins with the key that worked'
  )
  t.same(await readiness(service), { status: 200, body: { status: 'ready', reasons: [], warnings: [IN_MEMORY] } })
  showsNoKey(t, service)
})

t.test('with both keys revoked a reply is refused, never as the fault of the caller', async t => {
  const { emulator, env, parentId } = await startEmulator(t, { apiKeys, switches })
  const service = await hostService(t, { ...env, COMETCHAT_API_KEY: KEYS.join('\n') })
  for (const key of KEYS) emulator.revokeKey(key)

  const answer = await postReply(service, { parentId, body })

  expectProblem(t, answer, 'upstream-credentials', { without: KEYS })
  t.equal(answer.headers.get('www-authenticate'), null)
  t.equal(emulator.requests.length, 2)
  t.equal(emulator.ledger.length, 0)
  t.same(await readiness(service), {
    status: 503,
    body: { status: 'not-ready', reasons: ['cometchat-key-refused'], warnings: [IN_MEMORY] }
  })
  await service.lineWhere(line => line['alarm'] === 'upstream-credentials')
  showsNoKey(t, service)
})

t.test('a user who is not in the group is no proof against a key', async t => {
  const { emulator, env, groupParentId } = await startEmulator(t, { apiKeys, switches })
  const service = await hostService(t, { ...env, COMETCHAT_API_KEY: KEYS.join(',') })

  const answer = await postReply(service, { as: 'mallory', parentId: groupParentId })

  expectProblem(t, answer, 'thread-not-found')
  t.equal(emulator.requests.length, 1)
  t.match(await readiness(service), { status: 200 })
})

t.test('a key file that changes is read again, one that breaks is not', async t => {
  const { emulator, env, parentId } = await startEmulator(t, { apiKeys: apiKeys.slice(0, 1) })
  const directory = mkdtempSync(join(tmpdir(), 'keys-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'key')
  writeFileSync(file, `${FIRST}\n`)
  const service = await hostService(t, { ...env, COMETCHAT_API_KEY: undefined, COMETCHAT_API_KEY_FILE: file })
  const written = (text: string, accepted: boolean) => {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
    return service.lineWhere(line => /_FILE changed/.test(String(line['msg'])) && line['accepted'] === accepted)
  }
  t.equal((await postReply(service, { parentId, body })).status, 201)

  await written('two keys\u0000 and a half\n', false)
  t.equal((await postReply(service, { parentId, body })).status, 201, 'the old key stays')

  emulator.revokeKey(FIRST)
  emulator.addKey(SECOND)
  await written(`${SECOND}\n`, true)
  t.equal((await postReply(service, { parentId, body })).status, 201, 'the new key is used')
  t.equal(emulator.requests.at(-1)?.headers['apikey'], SECOND)
  showsNoKey(t, service)
})

async function readiness({ adminUrl }: RunningService) {
  const response = await fetch(`${adminUrl}/readyz?verbose`)
  return { status: response.status, body: await response.json() }
}

function showsNoKey(t: Test, { output, errors }: RunningService): void {
  const said = [...output, ...errors].join('\n')
  for (const key of KEYS) t.notOk(said.includes(key), 'nothing of a key')
}
