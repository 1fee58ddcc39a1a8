// A thousand clients that are slow in every way, all at once: each ends within its bound, and the callers beside them
// do not notice.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type HostileClient, hostileBytes, openHostile } from '../../helpers/hostile-client.ts'
import { startTarget } from '../../helpers/target.ts'

t.setTimeout(180_000)

const HEADERS_MS = 10_000
const REQUEST_MS = 15_000
const KEEP_ALIVE_MS = 5000
const DEADLINE_MS = 5000
/** For an answer that is not read. */
const UNREAD_MS = 15_000
/** The bounds are looked at every second, and counted from when all are open, on a machine that is busy. */
const LATE_MS = 10_000

const target = await startTarget(t, {
  env: {
    REPLY_DEADLINE_MS: String(DEADLINE_MS),
    KEEP_ALIVE_TIMEOUT_MS: String(KEEP_ALIVE_MS),
    LIMIT_USER_PER_MINUTE: '0'
  }
})
const post = `POST ${target.path} HTTP/1.1\r\nHost: service.test\r\n`
const bodyOfCarol = `${post}${target.goodLines('carol').join('\r\n')}\r\nContent-Length: 90\r\n\r\n{`
const stored = (key: string, characters: number): Buffer =>
  hostileBytes({
    target: target.path,
    lines: [...target.goodLines(), `Idempotency-Key: "${key}"`],
    body: target.goodBody('x'.repeat(characters))
  })
const short = stored('slow-crowd-short-answer', 4000)
const long = stored('slow-crowd-long-answer', 48_000)
/** More answers than a system holds for a client that does not read them. */
const TOO_MANY = 200

interface Member {
  readonly client: HostileClient
  readonly kind: Kind
}

interface Kind {
  readonly count: number
  readonly begin: Buffer | string
  /** Sent every second. */
  readonly drip?: string
  readonly reads: boolean
  /** Counted from when all are open. */
  readonly boundMs: number
}

const KINDS: Readonly<Record<string, Kind>> = {
  'headers that drip': { count: 250, begin: `${post}X: `, drip: 'a', reads: true, boundMs: HEADERS_MS },
  'bodies that drip': { count: 250, begin: bodyOfCarol, drip: ' ', reads: true, boundMs: REQUEST_MS },
  'nothing at all': { count: 125, begin: '', reads: true, boundMs: HEADERS_MS },
  'idle after an answer': {
    count: 125,
    begin: 'GET / HTTP/1.1\r\nHost: service.test\r\n\r\n',
    reads: true,
    boundMs: KEEP_ALIVE_MS
  },
  'an answer that is not read': { count: 240, begin: short, reads: false, boundMs: KEEP_ALIVE_MS },
  'more answers than fit, not read': {
    count: 10,
    begin: Buffer.concat(Array.from({ length: TOO_MANY }, () => long)),
    reads: false,
    boundMs: UNREAD_MS
  }
}

async function open(kind: Kind): Promise<Member> {
  const client = openHostile(target.service.url)
  t.teardown(() => void client.socket.destroy())
  if (!kind.reads) client.socket.pause()
  await new Promise(resolve => client.socket.once('connect', resolve))
  client.send(kind.begin)
  return { client, kind }
}

/** Whether the service has ended it, which a client that does not read finds out when it does. */
async function isEnded({ client }: Member): Promise<boolean> {
  client.socket.resume()
  // What came before the end is read first, and a service that had not ended it would not within that time.
  return client.ended(KEEP_ALIVE_MS - 1000)
}

/** Posts one reply after the other until it is told to stop. */
async function honest(signal: AbortSignal) {
  const answers: { readonly status: number; readonly tookMs: number }[] = []
  while (!signal.aborted) {
    const startedAtMs = performance.now()
    const { status } = await target.post({ as: 'bob' })
    answers.push({ status, tookMs: performance.now() - startedAtMs })
    await sleep(100)
  }
  return answers
}

t.test('a thousand slow clients end within their bounds, and every caller beside them is answered', async t => {
  for (const bytes of [short, long]) {
    const client = target.open(t)
    client.send(bytes)
    t.equal((await client.waitForAnswers(1))[0]?.status, 201)
  }
  const over = new AbortController()
  const callers = [honest(over.signal), honest(over.signal)]
  const crowd = new Map<string, readonly Member[]>()
  for (const [name, kind] of Object.entries(KINDS)) {
    crowd.set(name, await Promise.all(Array.from({ length: kind.count }, () => open(kind))))
  }
  const openedAtMs = performance.now()
  const members = [...crowd.values()].flat()
  t.equal(members.length, 1000)
  const drip = setInterval(() => {
    for (const { client, kind } of members) if (kind.drip) client.send(kind.drip)
  }, 1000)
  t.teardown(() => clearInterval(drip))

  for (const [name, { boundMs }] of Object.entries(KINDS).sort(([, a], [, b]) => a.boundMs - b.boundMs)) {
    await sleep(Math.max(0, openedAtMs + boundMs + LATE_MS - performance.now()))
    const ended = await Promise.all((crowd.get(name) ?? []).map(isEnded))
    t.same(new Set(ended), new Set([true]), name)
  }
  over.abort()
  const answers = (await Promise.all(callers)).flat()

  for (const name of ['headers that drip', 'bodies that drip', 'nothing at all']) {
    const statuses = crowd.get(name)?.map(({ client }) => client.answers()[0]?.status)
    t.same(new Set(statuses), new Set([408]), `${name}: told so`)
  }
  t.ok(answers.length > 20, `${answers.length} replies beside them`)
  t.same(new Set(answers.map(({ status }) => status)), new Set([201]))
  const sorted = answers.map(({ tookMs }) => tookMs).sort((a, b) => a - b)
  t.ok((sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY) < 1000, `median of ${sorted.length}`)
  t.equal(target.emulator.ledger.length, answers.length + 2, 'what was slow posted nothing, and nothing twice')
})
