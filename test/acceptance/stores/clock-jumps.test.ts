// The clock of the machine jumps while replies are lost, found, replayed and under way; the service keeps its records in a file.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { isReplayed, startKeyedReplies, withText } from '../../helpers/keyed-replies.ts'
import { moveClockOf, needsFaketime } from '../../helpers/moved-clock.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { tokenFor } from '../../helpers/tokens.ts'

t.setTimeout(240_000)

const DAY_MS = 86_400_000
const JUMPS = [
  ['+10 min', 600_000],
  ['+1 day', DAY_MS],
  ['-1 day', -DAY_MS],
  ['+3 days', 3 * DAY_MS],
  ['-10 min', -600_000]
] as const
const DEADLINE_MS = 600
const QUIET_MS = 1500
const LEASE_MS = DEADLINE_MS + 5000

for (const [title, jumpMs] of JUMPS) {
  t.test(
    `${title}: nothing is doubled, nothing that landed is hidden, and each wait is true`,
    needsFaketime(),
    async t => {
      const directory = mkdtempSync(join(tmpdir(), 'records-'))
      t.teardown(() => rmSync(directory, { recursive: true, force: true }))
      const clock = moveClockOf(t)
      const { emulator, send, sendUntilKnown, posts } = await startKeyedReplies(t, {
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
      emulator.failNext({ kind: 'reset', commit: true }, { method: 'POST' })
      const landed = await send('landed', of('landed'))
      emulator.failNext({ kind: 'reset' }, { method: 'POST' })
      const lost = await send('lost', of('lost'))
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
      const looked = await send('lost', of('lost'))
      expectProblem(t, looked, 'idempotency-in-flight', { hasKey: true, delivery: 'unknown' })
      const waitMs = Number(looked.json.retryAfterMs)
      t.ok(waitMs <= QUIET_MS + LEASE_MS, `the wait is ${waitMs} ms`)
      expectProblem(t, await underWay, 'deadline-exceeded', { hasKey: true, delivery: 'unknown' })
      const late = await sendUntilKnown('under-way', of('under-way'))
      t.same([late.status, isReplayed(late)], [201, true], 'found, too')

      await sleep(waitMs)
      const again = await send('lost', of('lost'))
      t.same([again.status, isReplayed(again)], [201, false], 'sent after the wait that was said, not before')
      for (const text of ['done', 'landed', 'lost', 'under-way']) t.equal(posts(text).length, 1, text)
    }
  )
}
