// The clock of the machine jumps while replies are lost, found, replayed and under way; the service keeps its records in a file.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { isReplayed, startKeyedRepliesProcess, withText } from '../../helpers/keyed-replies.ts'
import { moveClockOf, needsFaketime } from '../../helpers/moved-clock.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { askThread } from '../../helpers/thread-reader.ts'
import { tokenFor } from '../../helpers/tokens.ts'

t.setTimeout(240_000)
// Most of the time here is waits.
t.jobs = 2

const DAY_MS = 86_400_000
const JUMPS = [
  ['+10 min', 600_000],
  ['+1 day', DAY_MS],
  ['-1 day', -DAY_MS],
  ['+3 days', 3 * DAY_MS],
  ['-10 min', -600_000]
] as const
/** Long enough for what is sent meanwhile. */
const DEADLINE_MS = 2500
const QUIET_MS = 2500
const LEASE_MS = DEADLINE_MS + 5000
const SHORTEST_WAIT_MS = 1000
/** 1 s, 5 s, the rest of the quiet time, and one that a busy machine adds. */
const MOST_WAITS = 4

for (const [title, jumpMs] of JUMPS) {
  t.test(
    `${title}: nothing is doubled, nothing that landed is hidden, and each wait is true`,
    needsFaketime(),
    async t => {
      const directory = mkdtempSync(join(tmpdir(), 'records-'))
      t.teardown(() => rmSync(directory, { recursive: true, force: true }))
      const clock = moveClockOf(t)
      const { emulator, service, parentId, send, sendUntilKnown, posts } = await startKeyedRepliesProcess(t, {
        ...clock.env,
        STORE_URL: `file:${join(directory, 'records.db')}`,
        STORE_SECRET: 'a secret that is long enough for a store',
        QUIET_PERIOD_MS: `${QUIET_MS}`,
        REPLY_DEADLINE_MS: `${DEADLINE_MS}`
      })
      const seconds = Math.floor(Date.now() / 1000)
      const claims = { iat: seconds - 10 * 86_400, exp: seconds + 10 * 86_400 }
      const headers = { authorization: `Bearer ${await tokenFor('alice', { claims })}` }
      const of = (text: string) => ({ ...withText(text), headers })

      const done = await send('done', of('done'))
      const { newer } = (await askThread(service, `${parentId}/replies`, { headers })).json.page
      emulator.failNext({ kind: 'reset', commit: true }, { method: 'POST' })
      const landed = await send('landed', of('landed'))
      emulator.failNext({ kind: 'reset' }, { method: 'POST' })
      const lost = await send('lost', of('lost'))
      // The search for it is dated before the jump.
      expectProblem(t, await send('lost', of('lost')), 'idempotency-in-flight', { hasKey: true, delivery: 'unknown' })
      emulator.failNext({ kind: 'stall', commit: true }, { method: 'POST' })
      const underWay = send('under-way', of('under-way'))
      await sleep(DEADLINE_MS / 2)
      clock.set(jumpMs)

      t.equal(done.status, 201)
      for (const answer of [landed, lost])
        expectProblem(t, answer, 'upstream-reset', { hasKey: true, delivery: 'unknown' })
      const replayed = await send('done', of('done'))
      t.same([replayed.status, isReplayed(replayed), replayed.text], [201, true, done.text], 'replayed')
      const found = await send('landed', of('landed'))
      t.same([found.status, isReplayed(found)], [201, true], 'found at once')
      expectProblem(t, await underWay, 'deadline-exceeded', { hasKey: true, delivery: 'unknown' })
      const late = await sendUntilKnown('under-way', of('under-way'))
      t.same([late.status, isReplayed(late)], [201, true], 'found, too')

      const waits: number[] = []
      let again = await send('lost', of('lost'))
      for (; again.status === 409 && waits.length < MOST_WAITS; again = await send('lost', of('lost'))) {
        waits.push(Number(again.json.retryAfterMs))
        await sleep(waits.at(-1))
      }
      t.same([again.status, isReplayed(again)], [201, false], 'sent after the waits that were said')
      const waitedMs = waits.reduce((sum, ms) => sum + ms, 0)
      t.ok(waitedMs <= QUIET_MS + LEASE_MS + SHORTEST_WAIT_MS, `they are ${waits.join(', ')} ms`)
      for (const text of ['done', 'landed', 'lost', 'under-way']) t.equal(posts(text).length, 1, text)

      const before = emulator.requests.length
      const read = await askThread(service, `${parentId}/replies?cursor=${newer}`, { headers })
      if (jumpMs < DAY_MS) t.equal(read.status, 200, 'a cursor is good for a day')
      else {
        expectProblem(t, read, 'invalid-request')
        t.same([read.json.errors[0].pointer, emulator.requests.length], ['/cursor', before], 'and no longer')
      }
    }
  )
}
