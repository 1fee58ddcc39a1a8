// Good requests with something wrong in them that nobody thought of: bits that are flipped, parts that are missing,
// doubled or in another's place. Nothing but a reply of the token's own user, or a refusal, may come of it.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createRandom } from '../../../emulator/random.ts'
import { type HostileAnswer, hostileBytes, openHostile } from '../../helpers/hostile-client.ts'
import { seedOf } from '../../helpers/seed.ts'
import { startTarget, stillServes } from '../../helpers/target.ts'

t.setTimeout(240_000)
const RUNS = 400
const AT_ONCE = 20
/** A request whose end was cut off waits for it; nobody here waits with it. */
const PATIENCE_MS = 400
const FOLLOWING = 'the request that follows'

const target = await startTarget(t)
const seed = seedOf(t)
const random = createRandom(seed)
const below = (limit: number): number => Math.floor(random() * limit)
const oneOf = <T>(first: T, ...others: readonly T[]): T => others[below(others.length + 1)] ?? first

const message = {
  data: { text: 'hello', metadata: { a: [1, { b: null }] } },
  receiver: 'bob',
  receiverType: 'user',
  tags: ['one', 'two']
}
const body = Buffer.from(JSON.stringify(message))
const head = [
  `POST ${target.path} HTTP/1.1`,
  'Host: service.test',
  ...target.goodLines('alice'),
  'Accept: application/json',
  'Prefer: return=minimal',
  `Content-Length: ${body.length}`
]
const following = hostileBytes({
  target: target.path,
  lines: target.goodLines('bob'),
  body: target.goodBody(FOLLOWING)
})

/** The same bytes with one to three accidents in them. */
function mutated(bytes: Buffer): Buffer {
  let result = bytes
  for (let accidents = 1 + below(3); accidents > 0; accidents--) result = oneOf(flip, cut, double, swap)(result)
  return result
}

function flip(bytes: Buffer): Buffer {
  const at = below(bytes.length)
  return bytes.fill((bytes[at] ?? 0) ^ (1 << below(8)), at, at + 1)
}

function cut(bytes: Buffer): Buffer {
  const [from, until] = someRange(bytes)
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(until)])
}

function double(bytes: Buffer): Buffer {
  const [from, until] = someRange(bytes)
  return Buffer.concat([bytes.subarray(0, until), bytes.subarray(from)])
}

function swap(bytes: Buffer): Buffer {
  const [from, until] = someRange(bytes)
  const middle = from + below(until - from)
  const [first, second] = [bytes.subarray(from, middle), bytes.subarray(middle, until)]
  return Buffer.concat([bytes.subarray(0, from), second, first, bytes.subarray(until)])
}

/** Mostly short, so that most of the request stays what it was. */
function someRange(bytes: Buffer): readonly [from: number, until: number] {
  const from = below(bytes.length)
  return [from, Math.min(bytes.length, from + 1 + below(oneOf(2, 8, 40)))]
}

function mutatedLines(lines: readonly string[]): string[] {
  const [at, other] = [below(lines.length), below(lines.length)]
  const [line = '', another = ''] = [lines[at], lines[other]]
  return oneOf(
    () => lines.toSpliced(at, 1),
    () => lines.toSpliced(other, 0, line),
    () => lines.with(at, another).with(other, line),
    () => lines.with(at, mutated(Buffer.from(line)).toString('latin1'))
  )()
}

const joined = (lines: readonly string[], content: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), content])

const LEVELS = {
  bytes: () => mutated(joined(head, body)),
  lines: () => joined(mutatedLines(head), body),
  'body of the announced length or not': () => joined(head, mutated(Buffer.from(body))),
  'body of the right length': () => {
    const content = mutated(Buffer.from(body))
    return joined([...head.slice(0, -1), `Content-Length: ${content.length}`], content)
  }
}

interface Run {
  readonly sent: Buffer
  readonly answers: readonly HostileAnswer[]
}

/** Sends one mutated request on a connection of its own, alone or with a good one of somebody else behind it. */
async function attempt(): Promise<Run> {
  const request = LEVELS[oneOf('bytes', 'lines', 'body of the announced length or not', 'body of the right length')]()
  const isPipelined = random() < 0.5
  const sent = isPipelined ? Buffer.concat([request, following]) : request
  const client = openHostile(target.service.url)
  client.send(sent)
  const answers = await client.waitForAnswers(isPipelined ? 2 : 1, PATIENCE_MS)
  client.socket.destroy()
  return { sent, answers }
}

const isCreated = ({ status, json }: HostileAnswer): boolean => status === 201 && typeof json?.data?.id === 'string'

const isProblem = ({ status, headers, json }: HostileAnswer): boolean =>
  status >= 400 &&
  status < 500 &&
  headers['content-type']?.startsWith('application/problem+json') === true &&
  json?.status === status &&
  json.delivery === 'not-sent' &&
  json.instance === `urn:request:${headers['x-request-id']}`

t.test('whatever is wrong in a request, it is refused as a problem or posted for its own user', async t => {
  const runs: Run[] = []
  while (runs.length < RUNS) runs.push(...(await Promise.all(Array.from({ length: AT_ONCE }, attempt))))

  const told = new Map<string, number>()
  for (const answer of runs.flatMap(({ answers }) => answers)) {
    const name = isCreated(answer) ? '201' : String(answer.json?.code)
    told.set(name, (told.get(name) ?? 0) + 1)
  }
  t.comment(JSON.stringify(Object.fromEntries(told)))
  const wrong = runs.flatMap(({ sent, answers }) => {
    const found = answers.filter(answer => !isCreated(answer) && !isProblem(answer))
    return found.map(({ head, body }) => `${sent.toString('latin1')}\n\n${head}\n${body}`)
  })
  t.equal(wrong.length, 0, 'every answer is a reply or a problem', { first: wrong[0] })
  for (const code of ['201', 'malformed-request', 'invalid-request', 'unauthenticated']) {
    t.ok((told.get(code) ?? 0) >= RUNS / 100, `${code} is among what is told`)
  }
  // What nobody waited for may still be under way.
  for (let known = -1; known !== target.emulator.ledger.length; await sleep(500)) known = target.emulator.ledger.length
  const posts = target.takePosts()
  const ofOthers = posts.filter(({ onBehalfOf, message }) => {
    return onBehalfOf !== (message.data['text'] === FOLLOWING ? 'bob' : 'alice')
  })
  t.same(ofOthers, [], 'nobody spoke for somebody else')
  t.ok(posts.length >= (told.get('201') ?? 0), 'what was told as posted was posted')
  await stillServes(t, target)
})
