import t from 'tap'
import { AppError } from '../src/errors.ts'
import { type DeliveryState, PROBLEMS, type ProblemCode } from '../src/lib/refusals/problems.ts'

function refused(code: ProblemCode, delivery?: DeliveryState): AppError {
  return new AppError(code, '', { reason: 'recorded', ...(delivery && { delivery }) })
}

t.test('an unknown outcome is retryable only under a key', async t => {
  for (const code of ['upstream-reset', 'upstream-error', 'upstream-invalid', 'upstream-mismatch'] as const) {
    t.notOk(refused(code).isRetryable(false), code)
    t.ok(refused(code).isRetryable(true), code)
  }
  const late = refused('deadline-exceeded', 'unknown')
  t.notOk(late.isRetryable(false))
  t.ok(late.isRetryable(true))
})

t.test('a refusal says why: a code with several causes cannot do without a word for it', async t => {
  // @ts-expect-error refuses a call without details: `overloaded` has several causes, and the log has to say which
  t.equal(new AppError('overloaded', '').reason, 'overloaded')
  // @ts-expect-error refuses 'tired': the documents explain every reason, so there is none beside their list
  t.equal(new AppError('overloaded', '', { reason: 'tired' }).reason, 'tired')
  t.equal(new AppError('overloaded', '', { reason: 'memory' }).reason, 'memory')
  t.equal(new AppError('draining', '').reason, 'draining')
})

t.test('nothing that was sent is ever retryable', async t => {
  for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
    t.notOk(refused(code, 'sent').isRetryable(true), code)
  }
})

t.test('a read that failed after sending leaves nothing in doubt', async t => {
  t.ok(new AppError('upstream-reset', '', { delivery: 'not-sent' }).isRetryable(false))
})

t.test('a refusal takes no trace of the stack, and what is thrown by mistake still has one', async t => {
  const { stackTraceLimit } = Error
  t.notMatch(new AppError('overloaded', 'Later.', { reason: 'event-loop' }).stack ?? '', /^ +at /m)
  t.equal(Error.stackTraceLimit, stackTraceLimit)
  t.match(new Error('a bug').stack, /^ +at /m)
})
