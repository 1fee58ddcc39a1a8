// Callers cannot make a scrape longer, nor get a word of theirs into it.
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { createRandom } from '../../../emulator/random.ts'
import { hmacToken } from '../../helpers/forged-tokens.ts'
import { type Scrape, scrape } from '../../helpers/metrics.ts'
import { seedOf } from '../../helpers/seed.ts'
import { startTarget } from '../../helpers/target.ts'

t.setTimeout(600_000)

/** 100,000 take a minute of processor time: TEST_REQUESTS=100000. That counting bears them is in request-metrics.test.ts. */
const REQUESTS = Number(process.env['TEST_REQUESTS'] ?? 3000)
/** By then everything that is likely has happened. */
const WARM_UP = 3000
const PIPELINED = 250
/** A histogram of 100 series has 17 lines for each; the rest is known. */
const MOST_LINES = 3000
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE', 'M-SEARCH']
const CANARY = 'canary'

/** Requests of clients that send anything: their words all hold the canary, so that none of it can hide. */
function randomRequests(random: () => number, target: { readonly path: string; readonly tokens: { alice: string } }) {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  const word = (): string => `${CANARY}-${Math.floor(random() * 2 ** 48).toString(36)}`
  return (): string => {
    const path =
      random() < 0.4
        ? target.path
        : pick([`/threads/${word()}/replies`, `/${word()}`, `/${word()}?${word()}=${word()}`, '*', '//', '/%00'])
    const authorization = pick([
      [],
      [`Authorization: Bearer ${word()}`],
      [`Authorization: Bearer ${hmacToken({ alg: 'HS256' }, { sub: word() }, word())}`],
      [`Authorization: Bearer ${target.tokens.alice}`],
      [`Cookie: ${word()}=${word()}`, `Authorization: ${word()} ${word()}`]
    ])
    const body = pick([
      '',
      '{',
      JSON.stringify({ [word()]: word() }),
      JSON.stringify({ data: { text: word() }, more: word() })
    ])
    const lines = [
      `${random() < 0.4 ? 'POST' : pick(METHODS)} ${path} HTTP/1.1`,
      'Host: service.test',
      `User-Agent: ${word()}`,
      ...authorization,
      `Content-Type: ${pick(['application/json', 'text/plain', word()])}`,
      `Idempotency-Key: ${word()}`,
      `X-${word()}: ${word()}`,
      ...pick([[], [`X-Request-Id: ${word()}`], [`traceparent: ${word()}`], [`Prefer: ${word()}`]]),
      `Content-Length: ${body.length}`
    ]
    return `${lines.join('\r\n')}\r\n\r\n${body}`
  }
}

const LAST = 'GET / HTTP/1.1\r\nHost: service.test\r\nConnection: close\r\n\r\n'

/** Sends them on a connection of their own and says how many were answered: some of them end it. */
async function sendPipelined(url: string, requests: readonly string[]): Promise<number> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).setEncoding('latin1')
  const chunks: string[] = []
  socket.on('data', (chunk: string) => chunks.push(chunk))
  socket.on('error', () => undefined)
  socket.write(requests.join('') + LAST)
  await new Promise(resolve => socket.once('close', resolve))
  return chunks.join('').split('HTTP/1.1 ').length - 1
}

t.test('thousands of random requests add no series, and no word of theirs', async t => {
  const target = await startTarget(t)
  const next = randomRequests(createRandom(seedOf(t)), target)
  const { url, adminUrl } = target.service

  async function send(count: number): Promise<void> {
    for (let answered = 0; answered < count; ) {
      const some = Array.from({ length: 8 }, () => Array.from({ length: PIPELINED }, next))
      const counts = await Promise.all(some.map(requests => sendPipelined(url, requests)))
      answered += counts.reduce((sum, one) => sum + one, 0)
    }
  }
  await send(WARM_UP)
  const before = await scrape(adminUrl)
  await send(REQUESTS)
  const after = await scrape(adminUrl)

  t.strictSame(seriesOf(after), seriesOf(before))
  const counted = sumOf(after, 'http_server_request_duration_seconds_count')
  t.ok(counted >= WARM_UP + REQUESTS, `${counted} were counted`)
  t.ok(after.figures.size < MOST_LINES, `${after.figures.size} lines`)
  holdsNoWord(t, after.text, target.tokens.alice)
  for (const label of [`http_request_method="_OTHER"`, 'error_type="not-found"', 'reason="token-form"']) {
    t.ok(after.text.includes(label), label)
  }
})

t.test('what a caller is called, where they write and what they say is in no label', async t => {
  const target = await startTarget(t)
  await target.post({ as: 'alice', headers: { 'user-agent': CANARY, 'idempotency-key': `${CANARY}-key` } })
  target.emulator.failNext({ kind: 'foreign-answer', of: 'other-user' }, { method: 'POST' })
  await target.post({ as: 'carol', body: { data: { text: CANARY, metadata: { [CANARY]: CANARY } } } })
  const { text } = await scrape(target.service.adminUrl)

  holdsNoWord(t, text, target.tokens.alice)
  const { parentId, emulator } = target
  for (const word of [...emulator.ledger.map(({ id }) => id), parentId, 'alice', 'bob', 'carol', emulator.apiKey]) {
    t.notMatch(text, new RegExp(`"${word}"`), word)
  }
  t.notMatch(text, emulator.apiKey.slice(0, 10))
})

t.test('whatever a scraper accepts, it is answered', async t => {
  const { service } = await startTarget(t)
  const accepted = [
    ...[
      '*',
      ',',
      ';',
      ';q=',
      'a/b;q=1;q=0',
      'text/plain;q=0',
      '"',
      'application/openmetrics-text;version="',
      '\t',
      'é'
    ],
    `${'a/b,'.repeat(3000)}`,
    `application/openmetrics-text;${'x=y;'.repeat(3000)}`
  ]
  for (const accept of accepted) {
    const answer = await scrape(service.adminUrl, accept)
    t.equal(answer.status, 200, accept.slice(0, 60))
    t.ok(answer.figures.size > 100)
  }
})

/** But for what only a machine that is too busy brings about. */
function seriesOf({ figures }: Scrape): string[] {
  return [...figures.keys()].filter(series => !series.includes('"request-timeout"')).sort()
}

function holdsNoWord(t: Test, text: string, token: string): void {
  t.notMatch(text, new RegExp(CANARY, 'i'))
  for (const part of token.split('.')) t.notOk(text.includes(part))
}

function sumOf({ figures }: Scrape, name: string): number {
  let sum = 0
  for (const [series, value] of figures) if (series.startsWith(`${name}{`)) sum += value
  return sum
}
