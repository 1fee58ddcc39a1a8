// When a thread is said not to be there: the time must not tell what the answer keeps to itself.
import t from 'tap'
import { hostService } from '../../helpers/hosted-service.ts'
import { expectProblem } from '../../helpers/problem.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

const SETTLE_MS = 600
const { env, parentId } = await startEmulator(t)
const MISSING = { as: 'mallory', parentId: '987654321' }
const HIDDEN = { as: 'mallory', parentId }

t.test('a thread that is missing is told no sooner than one that is hidden', async t => {
  const service = await hostService(t, { ...env, SETTLE_MS: `${SETTLE_MS}` })
  for (const attempt of [MISSING, HIDDEN]) {
    const startedAtMs = performance.now()

    expectProblem(t, await postReply(service, attempt), 'thread-not-found')
    t.ok(performance.now() - startedAtMs >= SETTLE_MS)
  }
})

t.test('a caller who shortens the deadline learns nothing by it', async t => {
  const service = await hostService(t, { ...env, SETTLE_MS: '3500' })
  for (const attempt of [MISSING, HIDDEN]) {
    const answer = await postReply(service, { ...attempt, headers: { prefer: 'wait=1' } })

    expectProblem(t, answer, 'deadline-exceeded')
  }
})

t.test('where the deadline of the service is shorter, a missing thread is told within it', async t => {
  const service = await hostService(t, { ...env, SETTLE_MS: '3500', REPLY_DEADLINE_MS: '700' })

  expectProblem(t, await postReply(service, MISSING), 'thread-not-found')
  expectProblem(t, await postReply(service, HIDDEN), 'deadline-exceeded')
})
