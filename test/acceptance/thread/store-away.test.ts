// What is read while the store is away: no more of the app than this instance's part, and no word that it cannot stand by.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { needsRedis, redisFor } from '../../helpers/redis-server.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { askThread } from '../../helpers/thread-reader.ts'

const APP = 100
/** Of the app, what one user may have read. */
const SHARE = 80

t.test('reads go on within the part of this instance, and say of a key only what they see', needsRedis(), async t => {
  const redis = await redisFor(t)
  const { emulator, env } = await startEmulator(t)
  const service = await hostService(t, {
    ...env,
    STORE_URL: redis.url,
    STORE_SECRET: 'a-store-secret-for-tests-of-40-bytes-xxx',
    LIMIT_MODE: undefined,
    LIMIT_APP_PER_MINUTE: `${APP}`,
    LIMIT_USER_SHARE: `${(100 * SHARE) / APP}`
  })
  const { id: parentId } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  const read = (path: string, as = 'alice') => askThread(service, `${parentId}${path}`, { as })
  const posted = await postReply(service, { parentId, headers: { 'idempotency-key': 'posted' } })
  t.equal(posted.status, 201)
  t.equal((await read('/replies')).status, 200, 'what CometChat goes by is known from here on')
  await redis.kill()

  t.match((await read('/replies/by-key/posted')).json, { delivery: 'sent', data: { id: posted.json.data.id } })
  const unused = (await read('/replies/by-key/never-used')).json
  t.match(unused, { delivery: 'unknown', retryAfterMs: Number }, 'the store would know more, and is away')
  t.same((await read('/replies')).json.data.length, 1)
  t.match((await read('')).json, { data: { id: parentId, replyCount: 1 } })

  const untilRefused = async (path: string, as: string) => {
    emulator.clear()
    let answer = await read(path, as)
    for (let count = 0; count < APP && answer.status === 200; count++) answer = await read(path, as)
    t.match(answer.json, { status: 429, code: 'rate-limited', delivery: 'not-sent', retryable: true })
    return { reads: emulator.requests.length, policies: answer.json['violated-policies'] }
  }
  const first = await untilRefused('/replies', 'alice')
  t.same(first.policies, ['user'])
  t.ok(first.reads >= SHARE / 4 && first.reads <= SHARE / 2, `${first.reads} reads of half a share`)
  for (const path of ['', '/replies/by-key/never-used']) t.equal((await read(path)).status, 429)
  const second = await untilRefused('', 'bob')
  t.same(second.policies, ['app'], 'another user has a part of their own, and both that of the app')
  t.ok(second.reads > 0 && first.reads + second.reads <= APP / 2, `${first.reads} and ${second.reads} reads`)
})
