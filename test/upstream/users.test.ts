import t from 'tap'
import type { ExchangeResult } from '../../src/upstream/transport/exchange-types.ts'
import { createCometChatUsers, newUserFrom } from '../../src/upstream/users/users.ts'
import { ALICE, answer, failure, refusal, scripted } from './scripted-cometchat.ts'

const DEADLINE = { atMs: 10_000 }
const calls = (result: ExchangeResult) => {
  const world = scripted(result)
  const users = createCometChatUsers(world.options)
  return {
    ...world,
    exists: () => users.exists(ALICE, DEADLINE),
    create: () => users.create(ALICE, { name: 'Alice' }, DEADLINE)
  }
}

t.test('a user is created by 200 and by 201, and not by another status', async t => {
  const body = { data: { uid: 'alice', name: 'Alice' } }
  for (const status of [200, 201]) {
    const { create, requests } = calls(answer(body, status))
    t.equal(await create(), 'created', String(status))
    t.match(requests, [{ method: 'POST', path: '/v3/users', body: '{"uid":"alice","name":"Alice"}' }])
    t.notMatch(requests[0]?.headers, ['onBehalfOf'])
  }
  for (const status of [202, 204, 302]) {
    await t.rejects(calls(answer(body, status)).create(), { code: 'upstream-invalid', delivery: 'not-sent' })
  }
})

t.test('a user who exists is left alone', async t => {
  t.equal(await calls(refusal('ERR_UID_ALREADY_EXISTS', 400)).create(), 'exists')
})

t.test('a user exists or does not', async t => {
  t.equal(await calls(answer({ data: { uid: 'alice' } })).exists(), true)
  t.equal(await calls(refusal('ERR_UID_NOT_FOUND', 404)).exists(), false)
})

t.test('what is about another user, or cannot be read, decides nothing; nothing was sent', async t => {
  const wrong = [
    answer({ data: { uid: 'bob' } }),
    answer({}),
    answer('oops'),
    answer('oops', 500),
    failure('reset', true)
  ]
  for (const result of wrong) {
    await t.rejects(calls(result).exists(), { name: 'AppError', delivery: 'not-sent' })
    await t.rejects(calls(result).create(), { name: 'AppError', delivery: 'not-sent' })
  }
  const { create, events } = calls(refusal('AUTH_ERR_NO_ACCESS', 403))
  await t.rejects(create(), { code: 'upstream-credentials' })
  t.same(events, [{ name: 'alarm', alarm: 'upstream-credentials' }])
})

t.test('a new user has a name that shows as it is, and a picture by https', async t => {
  const of = (name?: string, picture?: string) =>
    newUserFrom(ALICE, { ...(name !== undefined && { name }), ...(picture !== undefined && { picture }) })
  t.same(of(), { name: 'alice' })
  t.same(of(' \u202eAl\u0000ice\n'), { name: 'Al ice' })
  t.same(of('\ud800'), { name: 'alice' })
  t.same(of('😀'.repeat(101)).name, '😀'.repeat(100))
  t.same(of('A', 'https://example.com/a.png'), { name: 'A', avatar: 'https://example.com/a.png' })
  for (const picture of [
    'http://example.com/a',
    'https://u:p@example.com/a',
    'javascript:1',
    'x',
    `https://a/${'b'.repeat(500)}`
  ]) {
    t.same(of('A', picture), { name: 'A' }, picture.slice(0, 30))
  }
})

t.test('a refused key is an alarm, a slow CometChat is none', async t => {
  const refused = calls(refusal('AUTH_ERR_APIKEY_NOT_FOUND', 401))
  await t.rejects(refused.exists(), { code: 'upstream-credentials' })
  t.match(refused.events, [{ name: 'alarm', alarm: 'upstream-credentials' }])

  const slow = calls(failure('deadline', true))
  await t.rejects(slow.exists(), { code: 'deadline-exceeded', delivery: 'not-sent' })
  t.strictSame(slow.events, [])
})
