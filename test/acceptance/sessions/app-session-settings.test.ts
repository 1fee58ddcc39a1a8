import t from 'tap'
import { BACKENDS, SECRET, startExpressBackend } from '../../helpers/app-backends.ts'
import { startSessionTarget } from '../../helpers/app-session.ts'
import { needsRedis } from '../../helpers/redis-server.ts'
import { runService } from '../../helpers/service-process.ts'

const NEW_SECRET = 'a-secret-that-signs-session-cookies-2'

t.test('a change of the secret signs nobody out while both are configured', needsRedis(), async t => {
  const target = await startSessionTarget(t)
  const { redis, reply } = target
  const both = await target.start(t, { AUTH_SESSION_SECRET: `${SECRET}\n${NEW_SECRET}\n` })
  const only = await target.start(t, { AUTH_SESSION_SECRET: NEW_SECRET })

  for (const [name, startBackend] of BACKENDS) {
    const before = await startBackend(t, { redisUrl: redis.url, secrets: [SECRET] })
    const after = await startBackend(t, { redisUrl: redis.url, secrets: [NEW_SECRET, SECRET] })
    const old = await before.login('alice')
    const fresh = await after.login('alice')
    const rows: [string, typeof both, number, number][] = [
      ['the old secret', target.service, 201, 401],
      ['both', both, 201, 201],
      ['the new one', only, 401, 201]
    ]
    for (const [title, service, forOld, forFresh] of rows) {
      t.equal((await reply(old, {}, service)).status, forOld, `${name}, ${title}: a cookie from before`)
      t.equal((await reply(fresh, {}, service)).status, forFresh, `${name}, ${title}: a cookie from after`)
    }
  }
})

t.test('prefix, path and issuer are the ones that are set, and nothing near them', needsRedis(), async t => {
  const target = await startSessionTarget(t, { AUTH_SESSION_PREFIX: 'myapp:', AUTH_SESSION_ISSUER: 'urn:my-app' })
  const backend = await startExpressBackend(t, { redisUrl: target.redis.url, secrets: [SECRET], prefix: 'myapp:' })
  const cookie = await backend.login('alice')

  t.equal((await target.reply(cookie)).status, 201)
  await t.resolves(target.service.lineWhere(({ issuer, subject }) => issuer === 'urn:my-app' && subject === 'alice'))
  for (const env of [
    { AUTH_SESSION_PREFIX: 'myap' },
    { AUTH_SESSION_PREFIX: 'myapp:', AUTH_SESSION_USER: 'user.constructor.name' }
  ]) {
    const service = await target.start(t, env)
    t.equal((await target.reply(cookie, {}, service)).status, 401, JSON.stringify(env))
  }
})

t.test('sessions need no bearer tokens beside them, and then none is accepted', needsRedis(), async t => {
  const noBearer = { AUTH_JWT_ISSUER: undefined, AUTH_JWT_AUDIENCE: undefined, AUTH_JWT_SECRET: undefined }
  const target = await startSessionTarget(t, noBearer)
  const backend = await startExpressBackend(t, { redisUrl: target.redis.url, secrets: [SECRET] })

  t.equal((await target.reply(await backend.login('alice'))).status, 201)
  await t.resolves(target.service.lineWhere(({ issuer }) => issuer === 'urn:app-session'))
  const refused = await fetch(`${target.service.url}/threads/1/replies`, {
    method: 'POST',
    headers: { authorization: 'Bearer a.b.c', 'content-type': 'application/json' },
    body: '{}'
  })
  t.equal(refused.status, 401)
})

t.test('--check-config shows the sessions and the origins, and no secret', async t => {
  const { exitCode, output } = await runService(
    {
      COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
      COMETCHAT_API_KEY: 'key',
      AUTH_SESSION_STORE_URL: 'redis://user:store-password@127.0.0.1:1',
      AUTH_SESSION_SECRET: 'keyboard-cat,another-secret-of-more-than-32-bytes',
      CORS_ORIGINS: 'https://app.example.com, http://localhost:5173'
    },
    ['--check-config']
  )

  t.equal(exitCode, 0)
  t.match(
    output,
    /app session\s+cookie connect\.sid, signed with sha256:\w{8} or sha256:\w{8}, key sess:…, user at user\.id/
  )
  t.match(output, /CORS\s+https:\/\/app\.example\.com, http:\/\/localhost:5173/)
  t.match(output, 'fewer than 32 bytes')
  t.notMatch(output, /store-password|keyboard-cat|another-secret/)
})
