// `/openapi.json`, where OPENAPI=on: what this version can be asked, for any page and any program.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { canary } from '../../helpers/canaries.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { startEmulator } from '../../helpers/thread.ts'

const LISTED = 'https://app.example.com'
const { env } = await startEmulator(t)
const service = await hostService(t, { ...env, OPENAPI: 'on', CORS_ORIGINS: LISTED, STORE_SECRET: canary() })
const closed = await hostService(t, env)

async function get(headers: Record<string, string> = {}, method = 'GET', { url } = service) {
  const answer = await fetch(`${url}/openapi.json`, { method, headers })
  const text = await answer.text()
  const json = /json/.test(answer.headers.get('content-type') ?? '') && text !== '' ? JSON.parse(text) : undefined
  return { status: answer.status, headers: answer.headers, text, json }
}

t.test('it is the one of docs/, for anybody', async t => {
  const { status, headers, json } = await get()

  t.equal(status, 200)
  t.match(headers.get('content-type'), /^application\/json/)
  t.strictSame(json, JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8')))
})

t.test('it may be kept for a while, and who has it is not sent it again', async t => {
  const { headers } = await get()
  const etag = headers.get('etag') ?? ''

  t.match(headers.get('cache-control'), /^public, max-age=\d+$/)
  t.match(etag, /^"[\w-]+"$/)
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await get({ 'if-none-match': known })
    t.strictSame([again.status, again.text, again.headers.get('etag')], [304, '', etag], known)
  }
  t.equal((await get({ 'if-none-match': '"other"' })).status, 200)
})

t.test('HEAD tells of it', async t => {
  const head = await get({}, 'HEAD')

  t.strictSame([head.status, head.text], [200, ''])
  t.equal(head.headers.get('content-length'), String(Buffer.byteLength((await get()).text)))
})

t.test('any page may read it', async t => {
  const foreign = await get({ origin: 'https://editor.example.net' })
  t.strictSame(
    [foreign.headers.get('access-control-allow-origin'), foreign.headers.get('access-control-allow-credentials')],
    ['*', null]
  )
  t.equal((await get()).headers.get('access-control-allow-origin'), '*')
  t.equal((await get({ origin: LISTED })).headers.get('access-control-allow-origin'), LISTED)
  t.match(foreign.headers.get('vary'), /origin/i, 'what is kept for one page is not shown to another')
})

t.test('a credential, right or wrong, changes nothing', async t => {
  t.equal((await get({ authorization: 'Bearer a.b.c' })).status, 200)
})

t.test('nothing of the instance is in it', async t => {
  const { text } = await get()
  for (const value of [env.COMETCHAT_API_KEY, new URL(env.COMETCHAT_BASE_URL).host, LISTED, new URL(service.url).port])
    t.notOk(text.includes(value), value)
})

t.test('other methods are refused', async t => {
  const { headers, ...answer } = await get({}, 'POST')
  expectProblem(t, { headers, ...answer }, 'method-not-allowed')
  t.equal(headers.get('allow'), 'GET, HEAD')
})

t.test('without OPENAPI=on there is nothing', async t => {
  expectProblem(t, await get({}, 'GET', closed), 'not-found')
})
