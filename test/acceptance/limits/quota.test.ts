// The quota as callers meet it, with what a service has that was told nothing of limits. The emulator counts too.
import t, { type Test } from 'tap'
import { IN_MEMORY } from '../../helpers/service-process.ts'
import { startTarget } from '../../helpers/target.ts'
import type { ReplyAnswer } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const ON = { LIMIT_MODE: undefined }

const fields = ({ headers }: ReplyAnswer) => [headers.get('ratelimit-policy'), headers.get('ratelimit')] as const
const secondsOf = ({ headers }: ReplyAnswer): number => Number(headers.get('retry-after'))

async function postMany(target: Awaited<ReturnType<typeof startTarget>>, count: number, as: 'alice' | 'bob' = 'alice') {
  return Promise.all(Array.from({ length: count }, () => target.post({ as })))
}

async function verbose({ service }: Awaited<ReturnType<typeof startTarget>>) {
  const answer = await fetch(`${service.adminUrl}/readyz?verbose`)
  return (await answer.json()) as { readonly warnings?: unknown; readonly limits?: unknown }
}

function isLimited(t: Test, answer: ReplyAnswer, policy: string): void {
  t.match(answer.json, { status: 429, code: 'rate-limited', delivery: 'not-sent', retryable: true })
  t.same(answer.json['violated-policies'], [policy])
  t.equal(answer.json['retryAfterMs'], secondsOf(answer) * 1000, 'one wait, in whole seconds')
}

t.test('without a word about limits a user sends thirty messages, and CometChat refuses none', async t => {
  const target = await startTarget(t, { env: ON, emulator: { switches: { userMessagesPerMinute: 30 } } })
  const first = await target.post({ as: 'alice' })
  t.match(fields(first), ['"user";q=30;w=60', /^"user";r=29;t=6[01]$/])
  const answers = await postMany(target, 39)
  const refused = answers.filter(({ status }) => status === 429)
  t.equal(target.takePosts().length, 30)
  t.equal(refused.length, 10)
  for (const answer of refused) isLimited(t, answer, 'user')
  const waits = refused.map(secondsOf)
  t.ok(
    waits.every(wait => wait >= 50 && wait <= 64),
    waits.join()
  )
  t.match(fields(refused[0] ?? first)[1], /^"user";r=0;t=\d+$/)
  t.equal((await target.post({ as: 'bob' })).status, 201, 'nobody else is refused')
  t.notOk(target.emulator.requests.some(({ status }) => status === 429))

  const readyz = await verbose(target)
  t.match(readyz, { warnings: ['limit: user'] })
  t.match(readyz.limits, [
    'limits: enforce',
    /^address: 6000/,
    'user: 30 in a minute',
    'service: 5000 in a minute',
    /^app: 20000 in a minute, \d+ used$/
  ])
  t.match(await target.service.lineWhere(({ msg }) => msg === 'a limit refuses requests'), { policy: 'user' })
  t.match(await target.service.lineWhere(({ code }) => code === 'rate-limited'), { reason: 'limit-user' })
})

t.test('only messages are charged: no replay, no conflict, nothing that is refused, and each receiver', async t => {
  const target = await startTarget(t, { env: ON })
  const key = 'one-and-the-same'
  const keyed = (name: string, text = 'hello') =>
    target.post({ headers: { 'idempotency-key': name }, body: { data: { text } } })
  t.match(fields(await keyed(key))[1], /"user";r=29/)
  t.match(fields(await keyed(key))[1], /"user";r=29/, 'a replay')
  const conflict = await keyed(key, 'something else')
  t.match([conflict.status, fields(conflict)[1]], [422, /"user";r=29/])
  const invalid = await target.post({ body: { data: {} } })
  t.match([invalid.status, fields(invalid)[1]], [422, /"user";r=29/])
  const hidden = await target.post({ parentId: '999999999' })
  t.match([hidden.status, fields(hidden)[1]], [404, /"user";r=29/])
  const several = await target.post({
    body: { data: { text: 'to all' }, multipleReceivers: { uids: ['bob', 'carol'] } }
  })
  t.match(fields(several)[1], /"user";r=26/, 'the thread and two receivers')
  t.equal((await target.post({ token: 'nonsense' })).headers.get('ratelimit'), null, 'nothing on 401')

  await postMany(target, 26)
  const replay = await keyed(key)
  t.same(
    [replay.status, replay.headers.get('idempotent-replayed')],
    [201, 'true'],
    'a spent user still hears what was sent'
  )
  isLimited(t, await keyed('a-new-one'), 'user')
})

t.test('what was certainly not sent is given back, and what may have been is not', async t => {
  const target = await startTarget(t, { env: ON })
  await target.post({})
  target.emulator.failNext({ kind: 'error', status: 400, code: 'ERR_BAD_REQUEST' }, { method: 'POST' })
  const refused = await target.post({})
  t.match([refused.status, fields(refused)[1]], [422, /"user";r=29/])
  target.emulator.failNext({ kind: 'reset' }, { method: 'POST' })
  const unknown = await target.post({})
  t.match([unknown.status, fields(unknown)[1]], [502, /"user";r=28/])
})

t.test('a service that acts for users has a share of the app, and each user has thirty', async t => {
  const env = {
    ...ON,
    LIMIT_APP_PER_MINUTE: '40',
    LIMIT_USER_SHARE: '50',
    LIMIT_USER_PER_MINUTE: '15',
    AUTH_ACT_SCOPE: 'act'
  }
  const target = await startTarget(t, { env })
  const token = await tokenFor('robot', { claims: { scope: 'act', client_id: 'robot' } })
  const as = (user: string) => target.post({ token, headers: { 'x-acting-for': user } })
  const answers = []
  for (let count = 0; count < 13; count++) answers.push(await as('alice'), await as('bob'))
  t.equal(answers.filter(({ status }) => status === 201).length, 20)
  const last = answers.at(-1)
  if (last) isLimited(t, last, 'service')
  t.equal((await target.post({ as: 'alice' })).status, 201, 'the user alone is not held to that')
})

t.test('a spent app refuses everybody, and tells its policy to nobody else', async t => {
  const env = { ...ON, LIMIT_APP_PER_MINUTE: '20', LIMIT_USER_PER_MINUTE: '10', LIMIT_USER_SHARE: '0' }
  const target = await startTarget(t, { env })
  // Each of them has the service read the parent once.
  const first = [await target.post({ as: 'alice' }), await target.post({ as: 'bob' })]
  const answers = [...first, ...(await postMany(target, 9)), ...(await postMany(target, 9, 'bob'))]
  const refused = answers.filter(({ status }) => status === 429)
  t.equal(refused.length, 2, 'the reads of the service count, too')
  for (const answer of refused) {
    isLimited(t, answer, 'app')
    t.match(fields(answer)[0], '"user";q=10;w=60, "app";q=20;w=60')
    t.match(fields(answer)[1], /"app";r=0;t=\d+$/)
  }
  for (const answer of answers.filter(({ status }) => status === 201)) t.notMatch(fields(answer)[0], 'app')
})

t.test('one loud user takes nothing from the others', async t => {
  const target = await startTarget(t, { env: ON })
  const loud = await tokenFor('alice')
  let isOver = false
  const floods = Array.from({ length: 20 }, async () => {
    while (!isOver) await target.post({ token: loud })
  })
  const answers: ReplyAnswer[] = []
  for (let count = 0; count < 25; count++) {
    answers.push(await target.post({ as: 'bob' }), await target.post({ as: 'carol', parentId: target.groupParentId }))
  }
  isOver = true
  await Promise.all(floods)
  t.same(new Set(answers.map(({ status }) => status)), new Set([201]))
  t.equal(target.takePosts().filter(({ onBehalfOf }) => onBehalfOf === 'alice').length, 30)
})

t.test('observe lets everything through, and counts what it would have refused', async t => {
  const target = await startTarget(t, {
    env: { LIMIT_MODE: 'observe', LIMIT_USER_PER_MINUTE: '3', MULTIPLE_RECEIVERS_MAX: '2' }
  })
  const answers = await postMany(target, 6)
  t.ok(answers.every(({ status, headers }) => status === 201 && headers.get('ratelimit') === null))
  t.match(await target.service.lineWhere(({ msg }) => msg === 'a limit would refuse requests'), { policy: 'user' })
  const { warnings } = await verbose(target)
  t.same(warnings, ['limit-observed: user', IN_MEMORY])
})

t.test('what CometChat itself refuses stops that user here, until the time it names', async t => {
  const target = await startTarget(t, { env: ON, emulator: { switches: { userMessagesPerMinute: 2 } } })
  // The emulator's minute may begin anew once.
  let limited = await target.post({ as: 'alice' })
  for (let count = 0; count < 4 && limited.status === 201; count++) limited = await target.post({ as: 'alice' })
  isLimited(t, limited, 'user')
  const before = target.emulator.requests.length
  const again = await target.post({ as: 'alice' })
  isLimited(t, again, 'user')
  t.equal(target.emulator.requests.length, before, 'it is not asked again')
  t.equal((await target.post({ as: 'bob' })).status, 201)
})

t.test('one user reads as much as a quarter of the app at the most, and others read on', async t => {
  const env = { ...ON, LIMIT_APP_PER_MINUTE: '40', LIMIT_USER_PER_MINUTE: '10' }
  const target = await startTarget(t, { env })
  const read = async (as: 'alice' | 'bob') => {
    const headers = { authorization: `Bearer ${target.tokens[as]}` }
    const answer = await fetch(`${target.service.url}/threads/${target.parentId}`, { headers })
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
  }
  const answers = []
  for (let count = 0; count < 12; count++) answers.push(await read('alice'))

  t.same(
    answers.map(({ status }) => status),
    [...Array(10).fill(200), 429, 429]
  )
  t.match(answers.at(-1)?.json, { code: 'rate-limited', 'violated-policies': ['user'] })
  t.equal((await read('bob')).status, 200)
  const body = { data: { text: 'hello' }, receiver: 'bob', receiverType: 'user' }
  t.equal((await target.post({ as: 'alice', body })).status, 201, 'messages are counted apart')
})
