// A rolling update in the middle of the day: clients that post without a pause, and an instance that is told to go.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createRandom } from '../../../emulator/random.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { connectRaw, type RawConnection, requestBytes } from '../../helpers/raw-http.ts'
import { seedOf } from '../../helpers/seed.ts'
import { startService } from '../../helpers/service-process.ts'
import { type ReplyAnswer, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'

t.setTimeout(240_000)
const CLIENTS = 50
const DRAIN_DELAY_MS = 1500
const LONGEST_PAUSE_MS = 40

interface Seen {
  readonly answers: ReplyAnswer[]
  /** Requests without an answer, by what their connection had been used for. */
  lostOnKeptAlive: number
  lostOnNew: number
  refusedConnections: number
}

t.test('under load a drain loses no answer: every reply that is posted is told as posted', async t => {
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await startService(t, { ...env, DRAIN_DELAY_MS: `${DRAIN_DELAY_MS}` })
  const headers = { authorization: `Bearer ${await tokenFor('alice')}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ data: { text: 'hello' }, receiver: 'bob', receiverType: 'user' })
  const post = requestBytes(`POST /threads/${parentId}/replies`, headers, body)
  const seen: Seen = { answers: [], lostOnKeptAlive: 0, lostOnNew: 0, refusedConnections: 0 }
  const random = createRandom(seedOf(t))
  const clients = Array.from({ length: CLIENTS }, () => postUntilRefused(t, { url: service.url, post, seen, random }))
  while (seen.answers.length < 4 * CLIENTS) await sleep(5)
  const before = seen.answers.length

  const exitCode = await service.stop('SIGTERM')
  await Promise.all(clients)

  const created = seen.answers.filter(({ status }) => status === 201)
  for (const answer of seen.answers) if (answer.status !== 201) expectProblem(t, answer, 'draining')
  t.equal(seen.lostOnKeptAlive, 0, 'no kept-alive connection ends under a request')
  t.equal(emulator.ledger.length, created.length, 'what was posted was told, and the other way round')
  t.equal(exitCode, 0)
  t.ok(seen.answers.length >= before + CLIENTS, 'replies were served during the drain')
  t.equal(seen.refusedConnections, CLIENTS, 'every client went on until nobody listened')
  t.comment(`${created.length} posted, ${seen.answers.length - created.length} refused, ${seen.lostOnNew} lost unread`)
})

t.test('what waits at the listener when the drain ends is taken and answered', async t => {
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await startService(t, { ...env, DRAIN_DELAY_MS: '0' })
  const headers = { authorization: `Bearer ${await tokenFor('alice')}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ data: { text: 'hello' }, receiver: 'bob', receiverType: 'user' })
  const post = requestBytes(`POST /threads/${parentId}/replies`, headers, body)
  // While it stands still nothing is taken: all of them wait, with their requests.
  const exited = service.stop('SIGSTOP')
  const waiting = await Promise.all(Array.from({ length: CLIENTS }, () => connectRaw(t, service.url)))
  for (const connection of waiting) connection.send(post)
  void service.stop('SIGTERM')
  void service.stop('SIGCONT')
  const answers = await Promise.all(waiting.map(connection => connection.answer(15_000).catch(() => undefined)))

  // One that stood still may refuse some, because it is behind.
  const statuses = answers.map(answer => answer?.status)
  const unanswered = statuses.filter(status => status !== 201 && status !== 503)
  t.same(unanswered, [], 'each of them is answered')
  t.equal(emulator.ledger.length, statuses.filter(status => status === 201).length)
  t.equal(await exited, 0)
})

interface Load {
  readonly url: string
  readonly post: string
  readonly seen: Seen
  readonly random: () => number
}

/** Posts one reply after the other, on one connection for as long as it may be used, until none can be opened. */
async function postUntilRefused(t: Test, { url, post, seen, random }: Load): Promise<void> {
  for (;;) {
    const connection = await connectRaw(t, url).catch(() => undefined)
    if (!connection) {
      seen.refusedConnections++
      return
    }
    const answered = await postWhileOpen(connection, post, () => sleep(random() * LONGEST_PAUSE_MS), seen)
    connection.socket.destroy()
    // These come again at once, for ever: some wait at the listener whenever it closes, and end unread.
    if (answered === 'lost at first') seen.lostOnNew++
    if (answered === 'lost later') seen.lostOnKeptAlive++
  }
}

async function postWhileOpen(connection: RawConnection, post: string, pause: () => Promise<void>, seen: Seen) {
  for (let number = 0; ; number++) {
    connection.send(post)
    const answer = await connection.answer(15_000).catch(() => undefined)
    if (!answer) return number === 0 ? 'lost at first' : 'lost later'
    seen.answers.push(answer)
    if (answer.headers.get('connection') === 'close') return 'told to close'
    await pause()
  }
}
