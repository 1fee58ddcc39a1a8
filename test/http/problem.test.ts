import { Ajv } from 'ajv'
import t from 'tap'
import { AppError, type AppErrorOptions } from '../../src/errors.ts'
import { retryAfterSeconds, toProblem } from '../../src/http/problem.ts'
import { ProblemSchema } from '../../src/http/problem-schema.ts'
import { PROBLEMS, type ProblemCode } from '../../src/lib/refusals/problems.ts'

const codes = Object.keys(PROBLEMS) as ProblemCode[]
const problemOf = (code: ProblemCode, options: AppErrorOptions = {}, hasKey = false) =>
  toProblem(new AppError(code, 'Public text.', { reason: 'recorded', ...options }), 'request-1', hasKey)

t.test('every problem fits the schema, whatever is known about it', async t => {
  const fits = new Ajv({ formats: { uri: true } }).compile({ ...ProblemSchema, additionalProperties: false })
  for (const code of codes) {
    for (const delivery of ['sent', 'not-sent', 'unknown'] as const) {
      for (const hasKey of [true, false]) {
        const errors = [{ pointer: '/data', code: 'missing', detail: 'The member is missing.' }]
        const known = { delivery, retryAfterMs: 0.5, messageId: '1', errors, violatedPolicies: ['user'] } as const
        const problem = problemOf(code, known, hasKey)
        t.ok(fits(problem), `${code}, ${delivery}: ${JSON.stringify(fits.errors)}`)
      }
    }
  }
  t.notOk(fits({ ...problemOf('internal'), code: 'not-a-code' }), 'the schema would find another code')
})

t.test('a problem says what is known and nothing else', async t => {
  t.same(problemOf('thread-not-found'), {
    type: 'urn:thread-reply-bff:problem:thread-not-found',
    title: 'No such thread for this user',
    status: 404,
    detail: 'Public text.',
    instance: 'urn:request:request-1',
    code: 'thread-not-found',
    delivery: 'not-sent',
    retryable: false,
    whose: 'user'
  })
  t.equal(problemOf('invalid-request', { whose: 'user' }).whose, 'user', 'where that is known better')
  t.equal(problemOf('invalid-request').whose, 'developer')
  const { messageId, delivery } = problemOf('upstream-contract', {
    messageId: '7',
    reason: 'session-store-canary',
    challenge: 'canary'
  })
  t.same([messageId, delivery], ['7', 'sent'])
  t.notMatch(
    JSON.stringify(problemOf('unauthenticated', { reason: 'session-store-canary', challenge: 'canary' })),
    'canary'
  )
})

t.test('a refusal by a limit names the limit', async t => {
  const { 'violated-policies': policies } = problemOf('overloaded', { violatedPolicies: ['event-loop'] })
  t.same(policies, ['event-loop'])
})

t.test('a wait is told only where sending again is safe', async t => {
  const waitOf = (code: ProblemCode, hasKey: boolean, options: AppErrorOptions = {}) =>
    problemOf(code, { retryAfterMs: 1500, ...options }, hasKey).retryAfterMs

  t.equal(waitOf('rate-limited', false), 1500)
  t.equal(waitOf('rate-limited', false, { retryAfterMs: 0.1 }), 1, 'in whole milliseconds, never too early')
  t.equal(waitOf('upstream-reset', true), 1500)
  t.equal(waitOf('upstream-reset', false), undefined, 'unknown, and without a key')
  t.equal(waitOf('upstream-contract', true), undefined, 'sent')
  t.equal(waitOf('forbidden', true), undefined, 'never')
})

t.test('Retry-After is whole seconds, at least one and never too early', async t => {
  for (const [waitMs, seconds] of [
    [0, '1'],
    [1, '1'],
    [1000, '1'],
    [1001, '2'],
    [59_999, '60']
  ] as const) {
    t.equal(retryAfterSeconds(waitMs), seconds, `${waitMs} ms`)
  }
})
