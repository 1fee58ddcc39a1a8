import t from 'tap'
import { AppError, PROBLEMS, type ProblemCode } from '../src/errors.ts'

t.test('an unknown outcome is retryable only under a key', async t => {
  for (const code of ['upstream-reset', 'upstream-error', 'upstream-invalid', 'upstream-mismatch'] as const) {
    t.notOk(new AppError(code, '').isRetryable(false), code)
    t.ok(new AppError(code, '').isRetryable(true), code)
  }
  const late = new AppError('deadline-exceeded', '', { delivery: 'unknown' })
  t.notOk(late.isRetryable(false))
  t.ok(late.isRetryable(true))
})

t.test('nothing that was sent is ever retryable', async t => {
  for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
    t.notOk(new AppError(code, '', { delivery: 'sent' }).isRetryable(true), code)
  }
})

t.test('a read that failed after sending leaves nothing in doubt', async t => {
  t.ok(new AppError('upstream-reset', '', { delivery: 'not-sent' }).isRetryable(false))
})
