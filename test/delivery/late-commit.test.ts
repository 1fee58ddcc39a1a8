// CometChat posts a reply some time after the connection that carried it has died. Up to the quiet period nothing is
// doubled, whenever the client comes back. Beyond it this service cannot know, and the second post is written down here.
import t from 'tap'
import { Decisions } from './model/decisions.ts'
import type { Fate } from './model/fake-cometchat.ts'
import { isFinal, QUIET_MS, Stage } from './model/stage.ts'
import { World } from './model/world.ts'
import { MEMORY } from './stores/stores.ts'

const SECOND_MS = 1000
const LATE_S = [0, 1, 5, 30, 60, 119, 120, 121, 300]

interface Client {
  readonly habit: string
  /** When it sends again, in seconds after the connection died; after that it does as `Retry-After` says. */
  readonly returnsS: readonly number[]
}

const CLIENTS: readonly Client[] = [
  { habit: 'does as Retry-After says', returnsS: [] },
  { habit: 'is impatient', returnsS: Array.from({ length: 40 }, (_, index) => index * 5) },
  { habit: 'comes back once, after a minute', returnsS: [60] },
  { habit: 'comes back a second too early', returnsS: [119] },
  { habit: 'comes back to the second', returnsS: [120] },
  { habit: 'comes back a second later', returnsS: [121] },
  { habit: 'comes back after four minutes', returnsS: [240] },
  { habit: 'comes back after an hour', returnsS: [3600] }
]
const DEATHS: readonly (Fate & `commits after ${string}`)[] = [
  'commits after the connection died',
  'commits after silence until the deadline'
]

for (const fate of DEATHS) {
  t.test(`a reply that CometChat ${fate} is never doubled up to the quiet period`, async t => {
    for (const lateS of LATE_S.filter(one => one * SECOND_MS <= QUIET_MS)) {
      for (const client of CLIENTS) {
        const { messages, told } = await play(fate, lateS, client)
        t.same({ messages, told }, { messages: 1, told: ['101'] }, `${lateS} s late, a client that ${client.habit}`)
      }
    }
  })

  t.test(`a reply that CometChat ${fate} and the quiet period is doubled if a client comes between`, async t => {
    for (const lateS of LATE_S.filter(one => one * SECOND_MS > QUIET_MS)) {
      for (const client of CLIENTS) {
        const { messages, cameAtS } = await play(fate, lateS, client)
        const comesBetween = cameAtS.some(atS => atS * SECOND_MS >= QUIET_MS && atS < lateS)
        t.equal(messages, comesBetween ? 2 : 1, `${lateS} s late, a client that ${client.habit}`)
      }
    }
  })
}

t.test(
  'a client that comes back during the quiet period is told to wait longer each time, and then to its end',
  async t => {
    const stage = await open('does not commit, and the connection dies')
    const { world, cometchat } = stage
    const process = await stage.startProcess('B')
    world.advance(50 * SECOND_MS)
    for (const waitS of [1, 5, 30, 70 - 1 - 5 - 30]) {
      const attempt = stage.begin('hello', process)
      await stage.takeSteps()
      t.match(attempt.answer, { code: 'idempotency-in-flight', verdict: 'unknown', retryAfterMs: waitS * SECOND_MS })

      const reads = cometchat.reads.length
      world.advance(waitS * SECOND_MS - 500)
      const early = stage.begin('hello', process)
      await stage.takeSteps()
      t.match(early.answer, { code: 'idempotency-in-flight', retryAfterMs: 1000 })
      t.equal(cometchat.reads.length, reads, 'before its time nothing is read')
      world.advance(500)
    }
    const last = stage.begin('hello', process)
    await stage.takeSteps()
    t.match(last.answer, { verdict: 'sent' })
  }
)

/** Ends with everything posted that ever will be. */
async function play(fate: Fate, lateS: number, { returnsS }: Client) {
  const stage = await open(fate, lateS)
  const { world } = stage
  const diedAtMs = world.nowMs
  const process = await stage.startProcess('B')
  const cameAtS: number[] = []
  const told = new Set<string | undefined>()
  let retryAfterMs: number | undefined = SECOND_MS
  for (let next = 0; retryAfterMs !== undefined; next++) {
    const returnS = returnsS[next]
    world.advance(returnS === undefined ? retryAfterMs : Math.max(0, diedAtMs + returnS * SECOND_MS - world.nowMs))
    cameAtS.push((world.nowMs - diedAtMs) / SECOND_MS)
    const attempt = stage.begin('hello', process)
    await stage.takeSteps()
    const { answer } = attempt
    if (answer?.verdict === 'sent') told.add(answer.messageId)
    retryAfterMs = answer && !isFinal(answer) ? (answer.retryAfterMs ?? SECOND_MS) : undefined
  }
  await world.drain()
  await stage.close()
  return { messages: stage.cometchat.ledger.length, told: [...told], cameAtS }
}

/** After a first attempt that ended so. */
async function open(fate: Fate, lateS = 0): Promise<Stage> {
  const options = { openStore: MEMORY.open, latestCommitMs: lateS * SECOND_MS }
  const stage = await Stage.open(new World(), new Decisions([]), options)
  stage.cometchat.script.push(fate)
  const first = stage.begin('hello', await stage.startProcess('A'))
  while (!first.answer) {
    await stage.takeSteps()
    const instantMs = stage.world.nextInstantMs() ?? stage.world.nowMs
    if (!first.answer) stage.world.advance(Math.max(0, instantMs - stage.world.nowMs))
  }
  return stage
}
