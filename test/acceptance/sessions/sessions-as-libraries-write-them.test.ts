// What express-session and @fastify/session write in the settings that apps give them, each with the real library.
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { BACKENDS, type BackendOptions, connected, SECRET } from '../../helpers/app-backends.ts'
import { startSessionTarget } from '../../helpers/app-session.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { needsRedis, withoutRedis } from '../../helpers/redis-server.ts'
import { tokenFor } from '../../helpers/tokens.ts'

const SHAPES: readonly (readonly [title: string, options: Partial<BackendOptions>])[] = [
  ['nothing said of its end', {}],
  ['cookie: { expires: false }', { looseCookie: { expires: false } }],
  ['cookie: { maxAge: false }', { looseCookie: { maxAge: false } }],
  ['cookie: { maxAge: 60000 }, rolling', { maxAgeMs: 60_000, rolling: true }],
  ['ids with dots', { newId: () => `v1.${randomUUID()}.eu` }],
  ['ids with colons', { newId: () => `tenant:${randomUUID()}` }],
  ['ids in base64', { newId: () => `${randomBytes(24).toString('base64')}+/==` }]
]

t.test('sessions as libraries write them', needsRedis(), async t => {
  if (withoutRedis() !== undefined) return
  const target = await startSessionTarget(t)
  const { redis, reply, takeNames } = target
  const client = await connected(t, redis.url)
  const options = { redisUrl: redis.url, secrets: [SECRET] }

  for (const [name, start] of BACKENDS) {
    for (const [title, more] of SHAPES) {
      t.test(`${name}, ${title}`, async t => {
        const backend = await start(t, { ...options, ...more })
        const cookie = await backend.login('alice')
        t.equal((await reply(cookie)).status, 201, String(await client.get((await client.keys('sess:*'))[0] ?? '')))
        t.same(takeNames(), ['alice'])
        await backend.logout(cookie)
        expectProblem(t, await reply(cookie), 'unauthenticated')
        t.equal((await reply(await backend.visit())).status, 401, 'a session of nobody stays nobody')
        await client.flushAll()
      })
    }

    t.test(`${name}: the session that every answer renews outlives its first end`, async t => {
      const backend = await start(t, { ...options, maxAgeMs: 3000, rolling: true })
      let cookie = await backend.login('alice')
      for (let round = 0; round < 3; round++) {
        await sleep(1500)
        cookie = await backend.visit(cookie)
      }
      t.equal((await reply(cookie)).status, 201)
      takeNames()
      await sleep(3500)
      expectProblem(t, await reply(cookie), 'unauthenticated')
    })

    t.test(`${name}: a cookie in quotes is the same`, async t => {
      const backend = await start(t, options)
      const quoted = (await backend.login('alice')).replace(/=(.*)$/, '="$1"')
      if (name === 'express-session') t.equal(await backend.visit(quoted), quoted, 'as the library reads it')
      t.equal((await reply(quoted)).status, 201)
      t.same(takeNames(), ['alice'])
    })

    t.test(`${name}: one cookie twice is one credential, two values of it are refused with what to do`, async t => {
      const backend = await start(t, options)
      const [alice, bob] = [await backend.login('alice'), await backend.login('bob')]
      t.equal((await reply(`${alice}; ${alice}`)).status, 201)
      t.same(takeNames(), ['alice'])
      for (const both of [`${alice}; ${bob}`, `${bob}; ${alice}`, `${alice}; connect.sid=`]) {
        const answer = await reply(both)
        expectProblem(t, answer, 'ambiguous-credentials')
        t.match(
          answer.json?.detail,
          /^The cookie connect\.sid comes twice, with two values: delete the cookies of this site/
        )
      }
      const answer = await reply(alice, { authorization: `Bearer ${await tokenFor('alice')}` })
      expectProblem(t, answer, 'ambiguous-credentials')
      t.match(answer.json?.detail, "credentials: 'omit'")
      t.same(takeNames(), [])
    })
  }
})
