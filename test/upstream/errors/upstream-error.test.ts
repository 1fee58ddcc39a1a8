// What a call without a usable answer ends in: the code, and the truth about delivery.
import t from 'tap'
import {
  alarmFor,
  isAboutUnknownUser,
  unknownSender,
  upstreamError
} from '../../../src/upstream/errors/upstream-error.ts'
import type { CallResult } from '../../../src/upstream/transport/call-result.ts'
import type { FailureCause } from '../../../src/upstream/transport/exchange-types.ts'

const answered = (status: number, rest: Partial<CallResult> = {}): CallResult =>
  ({ outcome: { kind: 'answer', status, headers: {}, body: Buffer.alloc(0) }, ...rest }) as CallResult
const failed = (cause: FailureCause, sent: boolean): CallResult =>
  ({ outcome: { kind: 'failure', cause, sent, errorCode: 'ECONNRESET' } }) as CallResult

t.test('a post whose answer is a trouble of the server may have landed; a read never has', async t => {
  for (const [status, code] of [
    [500, 'upstream-error'],
    [503, 'upstream-error'],
    [599, 'upstream-error'],
    [408, 'upstream-error'],
    [499, 'upstream-invalid'],
    [200, 'upstream-invalid']
  ] as const) {
    t.match(upstreamError(answered(status), 'post'), { code, delivery: 'unknown' }, `post ${status}`)
    t.match(upstreamError(answered(status), 'read'), { code, delivery: 'not-sent' }, `read ${status}`)
  }
})

t.test('425 says that nothing was done (RFC 8470)', async t => {
  t.match(upstreamError(answered(425), 'post'), { code: 'upstream-unreachable', delivery: 'not-sent' })
})

t.test('more time than there was is no doubt: nothing was sent again', async t => {
  const late = answered(429, { outOfTime: true })
  t.match(upstreamError(late, 'post'), { code: 'deadline-exceeded', delivery: 'not-sent' })
})

t.test('a failure is in doubt once the request was sent, and only for a post', async t => {
  for (const [cause, code] of [
    ['deadline', 'deadline-exceeded'],
    ['unreadable', 'upstream-invalid'],
    ['reset', 'upstream-reset']
  ] as const) {
    t.match(upstreamError(failed(cause, true), 'post'), { code, delivery: 'unknown' }, cause)
    t.match(upstreamError(failed(cause, false), 'post'), { code, delivery: 'not-sent' }, `${cause}, not sent`)
    t.match(upstreamError(failed(cause, true), 'read'), { code, delivery: 'not-sent' }, `${cause} of a read`)
  }
  for (const [cause, code] of [
    ['overloaded', 'overloaded'],
    ['unreachable', 'upstream-unreachable'],
    ['untrusted', 'upstream-unreachable'],
    ['client-closed', 'client-closed']
  ] as const)
    t.match(upstreamError(failed(cause, false), 'post'), { code, delivery: 'not-sent' }, cause)
})

t.test('a limit is passed on with the time that CometChat names, or a default', async t => {
  const limited = { refusal: { kind: 'rate-limited' } } as Partial<CallResult>
  const waits = [{}, { resetsInMs: 4000 }, { retryAfterMs: 2000, resetsInMs: 4000 }].map(
    times => upstreamError(answered(429, { ...limited, ...times }), 'post').options.retryAfterMs
  )
  t.strictSame(waits, [15_000, 4000, 2000])
})

t.test('a user whom CometChat does not know is the sender of a read, and anybody of a post', async t => {
  const unknown = answered(404, { refusal: { kind: 'unknown-user' } } as Partial<CallResult>)

  t.match(upstreamError(unknown, 'read'), { code: 'identity-unmappable' })
  t.match(upstreamError(unknown, 'post'), { code: 'rejected-by-cometchat' })
  t.ok(isAboutUnknownUser(upstreamError(unknown, 'read')))
  t.ok(isAboutUnknownUser(upstreamError(unknown, 'post')))
  t.ok(isAboutUnknownUser(unknownSender()))
  t.notOk(isAboutUnknownUser(upstreamError(answered(404), 'post')))
  t.notOk(isAboutUnknownUser(new Error('unknown-user')))
})

t.test('a refused key and a certificate that is not trusted are alarms, nothing else is', async t => {
  const refused = answered(401, { refusal: { kind: 'our-key' } } as Partial<CallResult>)

  t.equal(alarmFor(upstreamError(refused, 'post')), 'upstream-credentials')
  t.equal(alarmFor(upstreamError(failed('untrusted', false), 'post')), 'upstream-untrusted')
  t.equal(alarmFor(upstreamError(failed('unreachable', false), 'post')), undefined)
  t.equal(alarmFor(upstreamError(answered(500), 'post')), undefined)
})

t.test('a refusal lists the code of CometChat where that may be shown, and nothing else', async t => {
  const about = (refusal: object) =>
    upstreamError(answered(400, { refusal } as Partial<CallResult>), 'post').options.errors

  t.equal(about({ kind: 'user-exists' }), undefined)
  t.match(about({ kind: 'unknown-user' }), [{ pointer: '', code: 'ERR_UID_NOT_FOUND' }])
})
