import t from 'tap'
import { BACKENDS, connected, SECRET } from '../../helpers/app-backends.ts'
import { startSessionTarget } from '../../helpers/app-session.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { needsRedis } from '../../helpers/redis-server.ts'
import { postReply } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

for (const [name, startBackend] of BACKENDS) {
  t.test(`sessions of ${name}`, needsRedis(), async t => {
    const target = await startSessionTarget(t, { AUTH_EXPLAIN_SCOPE: 'replies:explain' })
    const { redis, reply, takeNames } = target
    const backend = await startBackend(t, { redisUrl: redis.url, secrets: [SECRET] })

    t.test('whoever signed in there replies here under their own name, with the cookie they got there', async t => {
      const alice = await backend.login('alice')
      const bob = await backend.login('bob')

      t.equal((await reply(alice)).status, 201)
      t.equal((await reply(bob)).status, 201)
      t.same(takeNames(), ['alice', 'bob'])
      const line = await target.service.lineWhere(({ subject }) => subject === 'alice')
      t.match(line, { scheme: 'app-session', uid: 'alice', delivery: 'sent' }, 'and the log says how')
      const me = await fetch(`${target.service.url}/me`, { headers: { cookie: bob, 'x-csrf': '1' } })
      t.match(await me.json(), { uid: 'bob', scheme: 'app-session', issuer: 'https://issuer.test' }, 'and so does /me')
    })

    t.test('a session has no scopes, so it explains nothing; and nothing is sent', async t => {
      const cookie = await backend.login('alice')
      const answer = await reply(cookie, { prefer: 'handling=explain', 'x-request-id': `explain-${name.length}` })
      expectProblem(t, answer, 'forbidden')
      t.same(takeNames(), [])
      const line = await target.service.lineWhere(line => line['requestId'] === `explain-${name.length}`)
      t.match(line, { code: 'forbidden', reason: 'explain-scope', delivery: 'not-sent', scheme: 'app-session' })
    })

    t.test('whoever signed out there is nobody here at once, also with a copy of the cookie', async t => {
      const cookie = await backend.login('alice')
      t.equal((await reply(cookie)).status, 201)

      await backend.logout(cookie)

      for (let attempt = 0; attempt < 3; attempt++) expectProblem(t, await reply(cookie), 'unauthenticated')
      t.same(takeNames(), ['alice'])
    })

    t.test('a session that belongs to nobody does not reply', async t => {
      const cookie = await backend.visit()

      t.match(cookie, /^connect\.sid=/)
      expectProblem(t, await reply(cookie), 'unauthenticated')
      t.same(takeNames(), [])
    })

    t.test('a session from before the sign-in stays nobody, so planting one gains nothing', async t => {
      const planted = await backend.visit()

      const fresh = await backend.login('alice', planted)

      t.not(fresh, planted)
      expectProblem(t, await reply(planted), 'unauthenticated')
      t.equal((await reply(fresh)).status, 201)
      t.same(takeNames(), ['alice'])
    })

    t.test('a user may be a whole number', async t => {
      target.emulator.addUser({ uid: '42' })
      const answer = await reply(await backend.login(42))

      expectProblem(t, answer, 'thread-not-found')
      await t.resolves(target.service.lineWhere(({ subject, uid }) => subject === '42' && uid === '42'))
      expectProblem(t, await reply(await backend.login(2 ** 53)), 'unauthenticated')
      expectProblem(t, await reply(await backend.login({ $ne: '' })), 'unauthenticated')
    })

    t.test('a cookie that this secret did not sign is refused, in every spelling', async t => {
      const cookie = await backend.login('alice')
      const other = await startBackend(t, { redisUrl: redis.url, secrets: ['another-secret-of-more-than-32-bytes-'] })
      const value = decodeURIComponent(cookie.replace('connect.sid=', ''))
      const id = value.replace(/^s:/, '').split('.')[0] ?? ''
      const forged: readonly (readonly [string, string])[] = [
        ['another secret', await other.login('alice')],
        ['no signature', `connect.sid=${id}`],
        ['an empty signature', `connect.sid=s%3A${id}.`],
        ['the id as its own signature', `connect.sid=s%3A${id}.${id}`],
        ['a signature cut short', cookie.slice(0, -1)],
        ['a signature with more behind it', `${cookie}A`],
        [
          'the signature of another id',
          cookie.replace(
            id,
            id.replace(/^./, first => (first === 'A' ? 'B' : 'A'))
          )
        ],
        ['the key of the store', `connect.sid=sess:${id}`],
        ['nothing', 'connect.sid='],
        ['half an escape', 'connect.sid=s%3']
      ]

      for (const [title, forgery] of forged) {
        t.comment(title)
        expectProblem(t, await reply(forgery), 'unauthenticated', { without: [id] })
      }
      t.same(takeNames(), [])
      t.equal((await reply(cookie)).status, 201, 'the true one is accepted')
      takeNames()
    })

    t.test('nothing that is in the store opens a session when it is sent as a cookie', async t => {
      await backend.login('alice')
      const client = await connected(t, redis.url)
      const keys = await client.keys('*')
      const values = await client.mGet(keys)

      t.ok(keys.length > 0)
      for (const text of [...keys, ...keys.map(key => key.replace('sess:', '')), ...values]) {
        const answer = await reply(`connect.sid=${encodeURIComponent(text ?? '')}`)
        t.equal(answer.status, 401, String(text).slice(0, 20))
      }
      t.same(takeNames(), [])
    })

    t.test('a cookie beside a bearer token is two credentials, whoever they name', async t => {
      const cookie = await backend.login('alice')

      const answer = await reply(cookie, { authorization: `Bearer ${await tokenFor('bob')}` })

      expectProblem(t, answer, 'ambiguous-credentials')
      t.same(takeNames(), [])
      t.equal((await postReply(target.service, { as: 'bob', parentId: target.parentId })).status, 201, 'alone it does')
      takeNames()
    })

    t.test('a cookie without proof of origin is refused, and its session is not even read', async t => {
      const cookie = await backend.login('alice')

      expectProblem(t, await reply(cookie, { 'x-csrf': '0' }), 'csrf')
      expectProblem(t, await reply('connect.sid=nonsense', { 'x-csrf': '0' }), 'csrf')
      expectProblem(t, await reply(cookie, { 'sec-fetch-site': 'cross-site' }), 'csrf')
      t.same(takeNames(), [])
    })
  })
}
