import { existsSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { sendOnce, sendReply } from './send-reply.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/delivery.md')

t.test('the example in docs/delivery.md is the code that the storm runs', async t => {
  const [, example] = /```ts\n([\s\S]*?)\n```/.exec(page) ?? []

  t.equal(example, read('test/storm/send-reply.ts').trim())
})

t.test('every test that docs/delivery.md names exists', async t => {
  const named = [...page.matchAll(/`([a-z-]+(?:\/[a-z-]+)+\.test\.ts)`/g)].map(([, path = '']) => path)

  t.ok(named.length > 20)
  for (const path of named) t.ok(existsSync(new URL(`../${path}`, import.meta.url)), path)
})

/** A server, or a gateway before one, that answers by turns; the last one answers the rest. */
async function startServer(t: Test, ...answers: readonly RequestListener[]) {
  const keys: unknown[] = []
  const server = createServer((request, response) => {
    const answer = answers[Math.min(keys.length, answers.length - 1)]
    keys.push(request.headers['idempotency-key'])
    request.resume().on('end', () => answer?.(request, response))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close().closeAllConnections())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, keys }
}

const answering =
  (status: number, body: unknown, type = 'application/problem+json'): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body))
  }
const sent = answering(201, { data: { id: 7 } }, 'application/json; charset=utf-8')
const refused = answering(401, { status: 401, code: 'unauthenticated', delivery: 'not-sent', retryable: false })
const UNKNOWN = { delivery: 'unknown', retryable: true }
const body = { data: { text: 'hello' } }

t.test('what the service says is believed, and what a gateway says of itself is unknown', async t => {
  const { url } = await startServer(t, sent)
  t.same(await sendOnce(url, 'token', 'key', body), { delivery: 'sent', retryable: false, messageId: '7' })
  const told = await startServer(t, refused)
  t.match(await sendOnce(told.url, 'token', 'key', body), { delivery: 'not-sent', code: 'unauthenticated' })

  for (const [status, text, type] of [
    [502, '<html>Bad Gateway</html>', 'text/html'],
    [504, '{"message": "Endpoint request timed out"}', 'application/json'],
    [503, '{"type":"about:blank","status":503}', 'application/problem+json'],
    [429, 'null', 'application/json'],
    [200, '<html>Sign in to the Wi-Fi</html>', 'text/html'],
    [201, '{}', 'application/json'],
    [201, '{"delivery":"sent","retryable":false}', 'application/json'],
    [403, '', 'text/plain']
  ] as const) {
    const gateway = await startServer(t, answering(status, text, type))
    t.same(await sendOnce(gateway.url, 'token', 'key', body), UNKNOWN, `${status} ${text}`)
  }
})

t.test('nothing that keeps an answer away throws: no server, no time, no AbortSignal.timeout', async t => {
  t.same(await sendOnce('http://127.0.0.1:9/', 'token', 'key', body), UNKNOWN)
  const silent = await startServer(t, () => undefined)
  t.same(await sendOnce(silent.url, 'token', 'key', body, AbortSignal.timeout(50)), UNKNOWN)
  const { timeout } = AbortSignal
  t.teardown(() => Object.assign(AbortSignal, { timeout }))
  Object.assign(AbortSignal, { timeout: undefined })
  t.same(await sendOnce(silent.url, 'token', 'key', body), UNKNOWN, 'an older browser')
})

/** Replaces the clock of this process: every wait of the sample is over at once, and noted. */
function fastClock(t: Test) {
  const realTimeout = globalThis.setTimeout
  const realNow = Date.now
  const waits: number[] = []
  let aheadMs = 0
  Object.assign(globalThis, {
    setTimeout: (run: () => void, ms = 0, ...rest: []) => {
      // A wait of the sample has a promise to resolve; those of fetch itself have a function of their own.
      if (!String(run).includes('[native code]')) return realTimeout(run, ms, ...rest)
      waits.push(ms)
      aheadMs += ms
      return realTimeout(run, 0)
    }
  })
  Date.now = () => realNow() + aheadMs
  t.teardown(() => {
    Date.now = realNow
    Object.assign(globalThis, { setTimeout: realTimeout })
  })
  return { waits }
}

t.test('a reply is tried again under its key, ever later, never too early, and not in step with others', async t => {
  const late = answering(503, { status: 503, delivery: 'not-sent', retryable: true, retryAfterMs: 30_000 })
  const broken = answering(502, 'x', 'text/html')
  const { url, keys } = await startServer(t, late, broken, broken, broken, sent)
  const { waits } = fastClock(t)

  t.match(await sendReply(url, 'token', 'key-1', body), { delivery: 'sent', messageId: '7' })
  t.same(new Set(keys), new Set(['key-1']))
  const least = [30_000, 2000, 4000, 8000]
  t.equal(waits.length, least.length)
  for (const [index, ms] of least.entries()) {
    t.ok((waits[index] ?? 0) >= ms && (waits[index] ?? 0) <= 1.5 * ms, `${waits[index]} ms`)
  }
  t.ok(
    waits.some(ms => !Number.isInteger(ms)),
    'with chance in it'
  )
})

t.test('it ends after 23 hours, before its key is forgotten, and sends nothing later', async t => {
  const { url, keys } = await startServer(t, answering(502, 'x', 'text/html'))
  const { waits } = fastClock(t)
  const startedAtMs = Date.now() - 22 * 3_600_000
  t.same(await sendReply(url, 'token', 'key-1', body, startedAtMs), { delivery: 'unknown', retryable: false })
  const tookMs = Date.now() - startedAtMs
  t.ok(tookMs >= 23 * 3_600_000 && tookMs < 23.1 * 3_600_000, `${tookMs} ms`)
  t.ok(waits.every(ms => ms <= 90_000) && waits.length > 30)

  const count = keys.length
  t.match(await sendReply(url, 'token', 'key-1', body, startedAtMs), { delivery: 'unknown', retryable: false })
  t.equal(keys.length, count, 'a reload a day later sends nothing')
})

t.test('a refusal before the key is looked at does not make an unknown reply lost', async t => {
  const { url } = await startServer(t, answering(502, 'x', 'text/html'), refused)
  fastClock(t)
  t.match(await sendReply(url, 'token', 'key-1', body), {
    delivery: 'unknown',
    retryable: false,
    code: 'unauthenticated'
  })
  const first = await startServer(t, refused)
  t.match(await sendReply(first.url, 'token', 'key-2', body), { delivery: 'not-sent', retryable: false })
  const again = await startServer(t, refused)
  t.match(await sendReply(again.url, 'token', 'key-3', body, Date.now() - 60_000), { delivery: 'unknown' })
})
