import fastify from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import type { Principal } from '../../src/auth/caller.ts'
import { CALLER, requireCaller } from '../../src/auth/require-caller.ts'
import { createUidMap } from '../../src/auth/uid/uid-map.ts'
import { setErrorHandler } from '../../src/http/error-handler.ts'
import { checkContent } from '../../src/http/head/content-rules.ts'

const HOST = 'replies.example.com'
const LISTED = 'https://app.example.com'

/** What `Origin` may say: nothing, our own host, a listed origin, and everything that is neither. */
const ORIGINS = {
  none: undefined,
  own: `https://${HOST}`,
  listed: LISTED,
  null: 'null',
  sibling: 'https://evil.example.com',
  foreign: 'https://evil.test',
  suffix: `${LISTED}.evil.test`,
  prefix: 'https://evilapp.example.com',
  port: `${LISTED}:8443`,
  scheme: LISTED.replace('https', 'http'),
  'upper case': LISTED.toUpperCase(),
  slash: `${LISTED}/`,
  'own port': `https://${HOST}:8443`,
  rubbish: 'app.example.com'
} as const

/**
 * By `Sec-Fetch-Site`: what a cookie call needs. `yes` passes as it is, `header` passes with `X-CSRF: 1` only, `no`
 * never passes. Origins that are not named here never pass, whatever else is sent.
 */
const RULES: Record<string, Partial<Record<keyof typeof ORIGINS, 'yes' | 'header' | 'no'>>> = {
  none: { none: 'header', own: 'header', listed: 'yes' },
  'same-origin': { none: 'yes', own: 'yes', listed: 'yes', null: 'yes' },
  'same-site': { none: 'header', own: 'header', listed: 'yes' },
  'cross-site': { none: 'no', own: 'no', listed: 'no' },
  'user-typed': { none: 'header', own: 'header', listed: 'yes' },
  rubbish: { none: 'header', own: 'header', listed: 'yes' }
}
const SITES: Record<string, string | undefined> = { none: undefined, 'user-typed': 'none', rubbish: 'Same-Origin' }
const CSRF_HEADERS = [undefined, '1', '0', 'true']
const TYPES = {
  'application/json': true,
  'application/json; charset=utf-8': true,
  'text/plain': false,
  'application/x-www-form-urlencoded': false,
  'multipart/form-data; boundary=x': false,
  'text/plain; application/json': false,
  none: false
}
const CREDENTIALS: Record<string, Record<string, string>> = {
  cookie: { cookie: 'sid=alice' },
  'own cookie': { cookie: '__Host-own=alice' },
  bearer: { authorization: 'Bearer alice' },
  both: { cookie: 'sid=alice', authorization: 'Bearer alice' },
  'two cookies': { cookie: 'sid=alice; __Host-own=alice' },
  nothing: {}
}

async function startApp(options: { forgetCredentials?: boolean } = {}) {
  const principal = async (subject: string): Promise<Principal> => {
    return { scheme: 'app-session', issuer: 'urn:test', subject, actors: [], mayActForOthers: false }
  }
  const app = fastify()
  setErrorHandler(app, { log: pino({ level: 'silent' }) })
  app.addContentTypeParser('*', (_request, payload, done) => payload.resume().on('end', () => done(null)))
  app.addHook('onRequest', async request => checkContent(request))
  await app.register(requireCaller, {
    bearer: principal,
    cookies: new Map([
      ['sid', principal],
      ['__Host-own', principal]
    ]),
    csrf: { allowedOrigins: new Set([LISTED]), isProxy: () => false },
    uidOf: createUidMap({ mode: 'verbatim', prefix: '' }),
    ...options
  })
  app.post('/', async request => request[CALLER].uid)
  return app
}

interface Cell {
  readonly site: string
  readonly origin: keyof typeof ORIGINS
  readonly csrf: string | undefined
  readonly type: keyof typeof TYPES
  readonly credential: string
}

const keysOf = <T extends object>(value: T) => Object.keys(value) as (keyof T & string)[]

function cells(): Cell[] {
  const heads = keysOf(RULES).flatMap(site => keysOf(ORIGINS).map(origin => ({ site, origin })))
  const proofs = heads.flatMap(head => CSRF_HEADERS.map(csrf => ({ ...head, csrf })))
  const typed = proofs.flatMap(proof => keysOf(TYPES).map(type => ({ ...proof, type })))
  return typed.flatMap(call => keysOf(CREDENTIALS).map(credential => ({ ...call, credential })))
}

function wantedStatus({ site, origin, csrf, type, credential }: Cell): number {
  if (!TYPES[type]) return 415
  if (credential === 'nothing') return 401
  if (credential === 'both' || credential === 'two cookies') return 400
  if (credential === 'bearer') return 200
  const rule = RULES[site]?.[origin] ?? 'no'
  return rule === 'yes' || (rule === 'header' && csrf === '1') ? 200 : 403
}

function headersOf({ site, origin, csrf, type, credential }: Cell): Record<string, string> {
  const fetchSite = site in SITES ? SITES[site] : site
  return {
    host: HOST,
    ...CREDENTIALS[credential],
    ...(fetchSite !== undefined && { 'sec-fetch-site': fetchSite }),
    ...(ORIGINS[origin] !== undefined && { origin: ORIGINS[origin] }),
    ...(csrf !== undefined && { 'x-csrf': csrf }),
    ...(type !== 'none' && { 'content-type': type })
  }
}

t.test('every cell of Sec-Fetch-Site × Origin × X-CSRF × content type × credential is as the table says', async t => {
  const app = await startApp()
  t.teardown(() => app.close())
  const wrong: object[] = []
  const seen = new Map<number, number>()

  for (const cell of cells()) {
    const { statusCode } = await app.inject({ method: 'POST', url: '/', headers: headersOf(cell), payload: '{}' })
    seen.set(statusCode, (seen.get(statusCode) ?? 0) + 1)
    if (statusCode !== wantedStatus(cell)) wrong.push({ ...cell, statusCode })
  }

  t.same(wrong.slice(0, 10), [])
  t.same([...seen.keys()].sort(), [200, 400, 401, 403, 415], 'and each of the answers occurs')
  t.comment(`cells: ${[...seen.values()].reduce((sum, count) => sum + count)}`, Object.fromEntries(seen))
})

t.test('no header that a page can set by itself is proof', async t => {
  const app = await startApp()
  t.teardown(() => app.close())
  const headers = { host: HOST, cookie: 'sid=alice', 'content-type': 'application/json' }
  const attempts: Record<string, string>[] = [
    {},
    { referer: `https://${HOST}/` },
    { accept: 'application/json', 'accept-language': 'en' },
    { 'content-language': '1' },
    { 'x-requested-with': 'XMLHttpRequest' },
    { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
  ]

  for (const attempt of attempts) {
    const answer = await app.inject({ method: 'POST', url: '/', headers: { ...headers, ...attempt }, payload: '{}' })
    t.match(
      answer.json(),
      { status: 403, code: 'csrf', delivery: 'not-sent', retryable: false },
      JSON.stringify(attempt)
    )
  }
})

t.test('another site loses before the session is read', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  setErrorHandler(app, { log: pino({ level: 'silent' }) })
  const read: string[] = []
  await app.register(requireCaller, {
    bearer: undefined,
    cookies: new Map([['sid', async (value: string) => Promise.reject(new Error(`read ${read.push(value)}`))]]),
    csrf: { allowedOrigins: new Set<string>(), isProxy: () => false },
    uidOf: createUidMap({ mode: 'verbatim', prefix: '' })
  })
  app.post('/', async () => 'posted')

  const headers = { host: HOST, cookie: 'sid=alice', 'sec-fetch-site': 'cross-site', 'x-csrf': '1' }
  const answer = await app.inject({ method: 'POST', url: '/', headers })

  t.equal(answer.statusCode, 403)
  t.same(read, [])
})

for (const credential of ['cookie', 'own cookie', 'bearer'] as const) {
  t.test(`once the caller is known, their ${credential} is nowhere in the request`, async t => {
    const app = await startApp({ forgetCredentials: true })
    t.teardown(() => app.close())
    app.post('/head', async ({ raw: { headers, rawHeaders } }) => ({ headers, rawHeaders }))

    const headers = headersOf({ site: 'same-origin', origin: 'own', csrf: '1', type: 'application/json', credential })
    const answer = await app.inject({ method: 'POST', url: '/head', headers, payload: '{}' })

    t.equal(answer.statusCode, 200)
    t.notMatch(answer.body, 'alice')
    t.match(answer.json().headers, { host: HOST, 'x-csrf': '1' }, 'and the other headers are there')
  })
}
