// From a claim to a UID over the wire: paths, numbers, prefixes, lower case and who owns it, and whose users they are.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { type RunningService, startService } from '../../helpers/service-process.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

async function storeOf(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'uids-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return {
    STORE_URL: `file:${join(folder, 'records.db')}`,
    STORE_SECRET: 'a-store-secret-that-every-instance-shares'
  }
}

const { emulator, env, parentId } = await startEmulator(t)
t.beforeEach(() => emulator.clear())
const names = () => emulator.ledger.map(({ onBehalfOf }) => onBehalfOf)

async function statusOf(service: RunningService, claims: Record<string, unknown>): Promise<number> {
  return (await postReply(service, { token: await tokenFor('nobody', { claims }), parentId })).status
}

t.test('lower: the first user of a UID owns it, in every instance and after a restart', async t => {
  const lower = { ...env, ...(await storeOf(t)), UID_MODE: 'lower', UID_STRIP: 'auth0|' }
  const first = await startService(t, lower)
  const second = await startService(t, lower)

  t.equal((await postReply(first, { as: 'auth0|Alice', parentId })).status, 201)
  t.equal((await postReply(first, { as: 'auth0|Alice', parentId })).status, 201)
  for (const service of [first, second]) {
    expectProblem(t, await postReply(service, { as: 'auth0|aLICE', parentId }), 'identity-unmappable')
    t.match(await service.lineWhere(({ alarm }) => alarm === 'uid-taken'), { level: 'error', uid: 'alice' })
    t.ok(await service.lineWhere(({ reason }) => reason === 'uid-taken'))
  }
  expectProblem(t, await postReply(first, { as: 'alice', parentId }), 'identity-unmappable')
  t.equal((await postReply(second, { as: 'auth0|Alice', parentId })).status, 201)
  await Promise.all([first.stop(), second.stop()])

  const third = await hostService(t, lower)
  expectProblem(t, await postReply(third, { as: 'auth0|ALICE', parentId }), 'identity-unmappable')
  t.equal((await postReply(third, { as: 'auth0|Alice', parentId })).status, 201)
  t.same(new Set(names()), new Set(['alice']))
})

t.test('a claim at a path, as text or as a whole number', async t => {
  emulator.addUser({ uid: '42' })
  const service = await hostService(t, { ...env, UID_CLAIM: 'app_metadata.uid' })

  t.equal(await statusOf(service, { app_metadata: { uid: 'alice' } }), 201)
  t.equal(await statusOf(service, { 'app_metadata.uid': 'bob', app_metadata: { uid: 'alice' } }), 201)
  t.equal(
    (await postReply(service, { token: await tokenFor('x', { claims: { app_metadata: { uid: 42 } } }), parentId }))
      .status,
    404
  )
  t.same(names(), ['alice', 'bob'])
  for (const claims of [
    {},
    { app_metadata: 'alice' },
    { app_metadata: { uid: ['alice'] } },
    { app_metadata: { uid: 4.2 } }
  ]) {
    t.equal(await statusOf(service, claims), 403, JSON.stringify(claims))
  }
  t.ok(await service.lineWhere(({ reason }) => reason === 'uid-missing'))
  t.ok(await service.lineWhere(({ reason }) => reason === 'uid-form'))
})

t.test('UID_ISSUER: under two addresses of an issuer somebody is one user, with one record', async t => {
  const uid = 'djewy6ustl6wffkqqgtsosdcxoly7gjealjfgfvehzlljjzh46za'
  const hash = { ...env, ...(await storeOf(t)), UID_MODE: 'hash', UID_ISSUER: 'urn:users', UID_CREATE: 'on' }
  const addresses = ['https://acme.issuer.test', 'https://login.acme.test/']
  const headers = { 'idempotency-key': 'the-same-key' }
  for (const address of addresses) {
    const service = await startService(t, { ...hash, AUTH_JWT_ISSUER: address })
    const token = await tokenFor('auth0|17', { claims: { iss: address } })
    await postReply(service, { token, parentId, headers })
    t.match(await service.lineWhere(({ msg }) => msg === 'request'), { uid, issuer: 'urn:users', subject: 'auth0|17' })
    await service.stop()
  }
})
