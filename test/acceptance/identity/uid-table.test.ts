// UID_MODE=table over the wire: whose name a reply gets is what the app's table says, and nothing else.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { startJsonServer } from '../../helpers/json-server.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { runService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

const TOKEN = 'canary-table-token-5f1d'

async function startWithUrl(t: Test) {
  const thread = await startEmulator(t)
  const table = await startJsonServer(t, { uid: 'alice' })
  const service = await hostService(t, {
    ...thread.env,
    UID_MODE: 'table',
    UID_TABLE_URL: `${table.url}/uids/{subject}?issuer={issuer}`,
    UID_TABLE_TOKEN: TOKEN
  })
  return { ...thread, table, service }
}

async function tableFile(t: Test, content: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'uids-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'uids.json')
  await writeFile(path, JSON.stringify(content))
  return path
}

t.test('the app is asked once who its user is, and the reply goes out under that name', async t => {
  const { emulator, table, service, parentId } = await startWithUrl(t)

  const attempts = Array.from({ length: 5 }, () => postReply(service, { as: 'auth0|17/x', parentId }))
  for (const answer of await Promise.all(attempts)) t.equal(answer.status, 201)

  t.ok(emulator.ledger.every(({ onBehalfOf }) => onBehalfOf === 'alice'))
  t.equal(table.asked.length, 1)
  t.match(table.asked[0], {
    method: 'GET',
    path: '/uids/auth0%7C17%2Fx?issuer=https%3A%2F%2Fissuer.test',
    headers: { authorization: `Bearer ${TOKEN}` }
  })
  t.notMatch(service.output.join('\n'), TOKEN)
})

t.test('without a good answer nothing is sent', async t => {
  const { emulator, table, service, parentId } = await startWithUrl(t)
  const cases: [title: string, answer: () => void, code: 'identity-unmappable' | 'identity-provider-unavailable'][] = [
    ['404', () => table.answerWith({}, 404), 'identity-unmappable'],
    ['a UID that is none', () => table.answerWith({ uid: 'Alice' }), 'identity-unmappable'],
    ['500', () => table.answerWith({}, 500), 'identity-provider-unavailable'],
    ['401', () => table.answerWith({}, 401), 'identity-provider-unavailable'],
    ['no uid', () => table.answerWith({ id: 'alice' }), 'identity-provider-unavailable'],
    ['HTML', () => table.answer((_, r) => void r.end('<html>')), 'identity-provider-unavailable'],
    ['100 KB', () => table.answerWith({ uid: 'alice', x: 'x'.repeat(1e5) }), 'identity-provider-unavailable'],
    [
      'a redirect',
      () => table.answer((_, r) => void r.writeHead(302, { location: '/uids/alice' }).end()),
      'identity-provider-unavailable'
    ],
    ['a reset', () => table.answer((_, r) => void r.destroy()), 'identity-provider-unavailable']
  ]
  for (const [title, answer, code] of cases) {
    answer()
    await t.test(title, async t =>
      expectProblem(t, await postReply(service, { as: title, parentId }), code, { without: [TOKEN] })
    )
  }
  t.strictSame(emulator.requests, [])
})

t.test('the second user of a UID is refused with an alarm', async t => {
  const { emulator, service, parentId } = await startWithUrl(t)
  t.equal((await postReply(service, { as: '17', parentId })).status, 201)

  expectProblem(t, await postReply(service, { as: '18', parentId }), 'identity-unmappable')

  t.equal(emulator.ledger.length, 1)
  t.match(await service.lineWhere(({ alarm }) => alarm === 'uid-shared'), { level: 'error', uid: 'alice' })
})

t.test('a file counts as soon as it changes, and a wrong one changes nothing', async t => {
  const { emulator, env, parentId } = await startEmulator(t)
  const path = await tableFile(t, { '17': 'alice' })
  const service = await hostService(t, { ...env, UID_MODE: 'table', UID_TABLE_URL: `file:${path}` })
  const put = async (content: string): Promise<void> => {
    await writeFile(`${path}.new`, content)
    await rename(`${path}.new`, path)
  }
  t.equal((await postReply(service, { as: '17', parentId })).status, 201)

  await put('{"17": "alice", "18": "alice"}')
  t.match(await service.lineWhere(({ problem }) => problem !== undefined), {
    level: 'warn',
    problem: 'rows 1 and 2 give two users the same UID'
  })
  t.equal((await postReply(service, { as: '17', parentId })).status, 201)
  expectProblem(t, await postReply(service, { as: '18', parentId }), 'identity-unmappable')

  await put('{"17": "bob", "18": "alice"}')
  await service.lineWhere(({ msg, rows }) => msg === 'the file of UID_TABLE_URL changed' && rows === 2)
  emulator.clear()
  await postReply(service, { as: '17', parentId })
  await postReply(service, { as: '18', parentId })
  t.strictSame(
    emulator.ledger.map(({ onBehalfOf }) => onBehalfOf),
    ['bob', 'alice']
  )
})

t.test('a file that gives two users one UID is refused at start, without their names', async t => {
  const path = await tableFile(t, { 'canary-1': 'alice', 'canary-2': 'alice' })
  const env = { COMETCHAT_BASE_URL: 'http://127.0.0.1:9', COMETCHAT_API_KEY: 'key' }
  const { exitCode, errors } = await runService({ ...env, UID_MODE: 'table', UID_TABLE_URL: `file:${path}` })

  t.equal(exitCode, 78)
  t.match(errors, 'rows 1 and 2 give two users the same UID')
  t.notMatch(errors, 'canary')
})
