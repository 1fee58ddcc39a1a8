import { dirname, join } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { SECRET, startExpressBackend } from '../../helpers/app-backends.ts'
import { startSessionTarget } from '../../helpers/app-session.ts'
import { launchChromium, needsChromium, pageNamed, startFront, startPage } from '../../helpers/chromium.ts'
import { needsRedis } from '../../helpers/redis-server.ts'

interface Attempt {
  readonly url: string
  readonly mode?: 'cors' | 'no-cors'
  readonly type?: string
  readonly csrf?: boolean
}

/** One call from a page with its user's cookies; resolves with what a script can see of the answer. */
const call = (page: Page, attempt: Attempt): Promise<string> => page.evaluate(`call(${JSON.stringify(attempt)})`)

interface Read {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
}

/** What a script of the page can read of the answer to a call without cookies: its status and its code. */
const read = (page: Page, { url, method, headers }: Read): Promise<string> =>
  page.evaluate(`(async () => {
    const body = ${method === 'GET' ? 'undefined' : "'{}'"}
    const answer = await fetch(${JSON.stringify(url)}, { method: '${method}', headers: ${JSON.stringify(headers)}, body })
      .catch(() => undefined)
    return answer ? [answer.type, answer.status, (await answer.json()).code].join(' ') : 'blocked'
  })()`)

async function startWeb(t: Test) {
  const listedPort = await startPage(t, () => pageNamed('a listed page'))
  const evilPort = await startPage(t, () => pageNamed('a foreign page'))
  const target = await startSessionTarget(t, {
    CORS_ORIGINS: `http://localhost:${listedPort},http://app.localhost:${listedPort}`,
    CORS_HEADERS: 'x-app-version'
  })
  const backend = await startExpressBackend(t, {
    redisUrl: target.redis.url,
    secrets: [SECRET],
    // The weakest cookie there is: browsers send it with every call, from wherever it comes.
    cookie: { secure: true, sameSite: 'none' },
    page: pageNamed('the page of the app')
  })
  const front = await startFront(t, { service: target.service.url, backend: backend.url })
  const browser = await launchChromium(t)
  const home = `http://localhost:${front.port}`
  const open = async (url: string): Promise<Page> => {
    const page = await browser.newPage()
    await page.goto(url)
    return page
  }
  const own = await open(home)
  t.equal(await own.evaluate("logIn('alice')"), 200)
  return {
    ...target,
    front,
    open,
    own,
    url: `${home}/threads/${target.parentId}/replies`,
    listed: `http://localhost:${listedPort}/`,
    otherListed: `http://app.localhost:${listedPort}/`,
    foreign: [
      ['another origin of the same site', `http://localhost:${evilPort}/`, 'same-site'],
      ['another site', `http://127.0.0.1:${evilPort}/`, 'cross-site']
    ] as const
  }
}

/** Kept beside the test's other output, to be looked at; it proves nothing, and Chromium cannot always take one. */
const picture = (page: Page, name: string) =>
  page
    .screenshot({ path: join(dirname(t.testdirName), `browser-${name}.png`) })
    .catch(error => t.comment(`no picture of ${name}: ${error.message.split('\n')[0]}`))

t.test('in Chromium', { ...needsRedis(), ...needsChromium(), timeout: 120_000 }, async t => {
  const web = await startWeb(t)
  const { front, url, takeNames } = web
  const posts = () => front.takeSeen().filter(({ method }) => method === 'POST')

  t.test('a page of the same origin replies as its user, without a preflight', async t => {
    const result = await call(web.own, { url })

    t.same(result, 'basic 201')
    t.same(takeNames(), ['alice'])
    t.match(front.takeSeen(), [{ method: 'POST', headers: { 'sec-fetch-site': 'same-origin' } }])
    const withoutHeader = await call(web.own, { url, csrf: false })
    t.same(withoutHeader, 'basic 201', 'the word of the browser is proof enough')
    t.same(takeNames(), ['alice'])
    front.takeSeen()
    await picture(web.own, 'same-origin')
  })

  t.test('a page of a listed origin replies as its user and reads the answer; one preflight is enough', async t => {
    const page = await web.open(web.listed)

    const results = [await call(page, { url }), await call(page, { url })]

    t.same(results, ['cors 201', 'cors 201'])
    t.same(takeNames(), ['alice', 'alice'])
    const seen = front.takeSeen()
    t.same(
      seen.map(({ method }) => method),
      ['OPTIONS', 'POST', 'POST']
    )
    t.match(seen[1]?.headers, { 'sec-fetch-site': 'same-site', origin: web.listed.slice(0, -1) })
    t.equal(seen[0]?.headers.cookie, undefined, 'the preflight carries no credential')
    await picture(page, 'listed')
  })

  t.test('a page of a listed origin reads every answer, whatever its method, its headers and its address', async t => {
    const headers = {
      authorization: 'Bearer a.b.c',
      'content-type': 'application/json',
      prefer: 'wait=5',
      'x-app-version': '1',
      'last-event-id': '7',
      traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
      tracestate: 'a=b',
      baggage: 'a=b',
      'sentry-trace': 'x'
    }
    const nowhere = `${url}/no/such/place`
    const rows = [
      ...['GET', 'POST', 'PATCH', 'DELETE'].map(method => ({
        url: nowhere,
        method,
        headers,
        sees: 'cors 404 not-found'
      })),
      { url, method: 'DELETE', headers, sees: 'cors 405 method-not-allowed' },
      { url, method: 'POST', headers, sees: 'cors 401 unauthenticated' },
      { url: nowhere, method: 'GET', headers: { 'x-other': '1' }, sees: 'blocked' }
    ]
    for (const address of [web.listed, web.otherListed]) {
      const page = await web.open(address)
      for (const { sees, ...row } of rows) {
        t.equal(await read(page, row), sees, `${address} ${row.method} ${row.url}`)
      }
    }
    const page = await web.open(web.foreign[1][1])
    for (const { sees: _, ...row } of rows) t.equal(await read(page, row), 'blocked', `a foreign page: ${row.method}`)
    front.takeSeen()
  })

  for (const [name, address, site] of web.foreign) {
    t.test(`a page of ${name} cannot reply by fetch`, async t => {
      const page = await web.open(address)

      t.equal(await call(page, { url }), 'blocked', 'JSON with X-CSRF')
      t.equal(await call(page, { url, csrf: false }), 'blocked', 'JSON without it')
      t.equal(await call(page, { url, type: 'text/plain' }), 'blocked', 'plain text with X-CSRF')
      t.same(posts(), [], 'the browser does not even send them')
      for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
        await call(page, { url, type, csrf: false, mode: 'no-cors' })
        await call(page, { url, type, csrf: false })
      }
      const sent = posts()
      t.equal(sent.length, 4, 'what needs no permission is sent')
      for (const { headers } of sent) t.match(headers, { 'sec-fetch-site': site, cookie: /connect\.sid=/ })
      t.same(takeNames(), [], 'and posts nothing')
      await picture(page, `${site}-fetch`)
    })

    t.test(`a page of ${name} cannot reply by form`, async t => {
      for (const enctype of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']) {
        const page = await web.open(address)
        const answered = page.waitForResponse(url)
        await page.evaluate(`submitForm(${JSON.stringify({ url, enctype })})`)

        t.equal((await answered).status(), 415, enctype)
        const [sent] = posts()
        t.match(sent?.headers, { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', cookie: /connect\.sid=/ })
        if (enctype === 'text/plain') await picture(page, `${site}-form`)
      }
      t.same(takeNames(), [])
    })
  }

  t.test('not even where a proxy in front answers every preflight with yes', async t => {
    front.allowEverybody()

    for (const [name, address, site] of web.foreign) {
      const page = await web.open(address)
      t.equal(await call(page, { url }), 'blocked', `${name}: its script sees nothing`)
      const [sent] = posts()
      t.match(sent?.headers, { 'sec-fetch-site': site, 'x-csrf': '1', cookie: /connect\.sid=/ }, 'although it was sent')
    }
    t.same(takeNames(), [])
    const refused = web.service.logLines().filter(({ code }) => code === 'csrf')
    t.equal(refused.length, 2, 'it was refused for where it came from')
    t.same(await call(web.own, { url }), 'basic 201', 'and the own page still replies')
    t.same(takeNames(), ['alice'])
  })
})
