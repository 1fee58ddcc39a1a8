// What is tried again, after what wait, and with which key. Time is virtual: a wait costs nothing and is recorded.
import t from 'tap'
import type { ExchangeResult } from '../../../src/upstream/transport/exchange-types.ts'
import { requestWithRetries } from '../../../src/upstream/transport/retry.ts'
import type { Attempt, Deadline } from '../../../src/upstream/types.ts'
import { answer, failure, KEYS, refusal, scripted } from '../scripted-cometchat.ts'

interface Call {
  readonly script: readonly [ExchangeResult, ...ExchangeResult[]]
  readonly safe?: boolean
  readonly deadline?: Deadline
}

const build = (key: (typeof KEYS)[number]) =>
  ({ call: 'POST /users', method: 'POST', path: '/', headers: [key.reveal()], chargedTo: 'alice' }) as const

async function call({ script, safe = false, deadline = { atMs: 10_000 } }: Call) {
  const world = scripted(...script)
  const attempts: Attempt[] = []
  const told = { ...deadline, onAttempt: (attempt: Attempt) => void attempts.push(attempt) }
  const result = await requestWithRetries(world.options, build, told, safe)
  const keys = world.requests.map(({ headers: [key] }) => key)
  return { result, attempts, keys, sleeps: world.sleeps, keyring: world.options.keyring }
}

const fine = answer({ data: {} })

t.test('what provably never left is sent again, three times in all', async t => {
  const { result, attempts, sleeps } = await call({ script: [failure('unreachable', false)] })
  t.match(result.outcome, { cause: 'unreachable' })
  t.equal(attempts.length, 3)
  t.same(sleeps, [50, 50])
  t.equal((await call({ script: [failure('unreachable', false), fine] })).attempts.length, 2)
})

t.test('what may have left is sent again only where it reads', async t => {
  t.equal((await call({ script: [failure('reset', true), fine] })).attempts.length, 1)
  t.equal((await call({ script: [failure('reset', true), fine], safe: true })).attempts.length, 2)
  for (const cause of ['deadline', 'unreadable', 'untrusted', 'overloaded', 'client-closed'] as const) {
    for (const sent of [true, false]) {
      t.equal((await call({ script: [failure(cause, sent), fine], safe: true })).attempts.length, 1, `${cause} ${sent}`)
    }
  }
})

t.test('a server error is never an invitation, whatever code it names', async t => {
  for (const code of ['AUTH_ERR_NO_ACCESS', 'ERR_MESSAGE_NO_ACCESS', 'ERR_TOO_MANY_REQUESTS']) {
    for (const status of [408, 500, 503]) {
      const { result, attempts } = await call({ script: [refusal(code, status, { 'retry-after': '1' }), fine] })
      t.equal(attempts.length, 1, `${code} ${status}`)
      t.equal(result.refusal, undefined)
    }
  }
})

t.test('a refused key is followed by the other, which is then the first', async t => {
  const { keys, keyring } = await call({ script: [refusal('AUTH_ERR_APIKEY_NOT_FOUND', 401), fine] })
  t.same(keys, [KEYS[0].reveal(), KEYS[1].reveal()])
  t.equal(keyring.current(), KEYS[1])

  const both = await call({ script: [refusal('AUTH_ERR_APIKEY_NOT_FOUND', 401)] })
  t.equal(both.attempts.length, 2)
  t.equal(both.keyring.refusedForMs(), 0)
  t.equal(both.keyring.current(), KEYS[0], 'a key that was refused is not taken')
})

t.test('only an answer that shows that CometChat took the key makes it the first', async t => {
  const notTaken = refusal('AUTH_ERR_APIKEY_NOT_FOUND', 401)
  for (const second of [answer('', 500), refusal('ERR_BAD_REQUEST', 503), failure('deadline', true), answer('', 400)]) {
    t.equal((await call({ script: [notTaken, second] })).keyring.current(), KEYS[0])
  }
  for (const second of [fine, answer('', 299), refusal('ERR_BAD_REQUEST', 400)]) {
    t.equal((await call({ script: [notTaken, second] })).keyring.current(), KEYS[1])
  }
  t.equal((await call({ script: [notTaken, answer('', 300)] })).keyring.current(), KEYS[0])
})

t.test('what is tried again has 20 ms left for its answer', async t => {
  const tries = async (result: ExchangeResult, atMs: number): Promise<number> =>
    (await call({ script: [result, fine], deadline: { atMs } })).attempts.length
  t.same([await tries(failure('unreachable', false), 70), await tries(failure('unreachable', false), 71)], [1, 2])
  const otherKey = refusal('AUTH_ERR_APIKEY_NOT_FOUND', 401)
  t.same([await tries(otherKey, 20), await tries(otherKey, 21)], [1, 2])
  const limited = refusal('ERR_TOO_MANY_REQUESTS', 429, { 'retry-after': '2' })
  t.same([await tries(limited, 2020), await tries(limited, 2021)], [1, 2])
})

t.test('a limit is waited for once, and only where the deadline allows', async t => {
  const limited = refusal('ERR_TOO_MANY_REQUESTS', 429, { 'retry-after': '2' })
  t.same((await call({ script: [limited, fine] })).sleeps, [2000])
  t.equal((await call({ script: [limited] })).attempts.length, 2)
  t.equal((await call({ script: [limited, fine], deadline: { atMs: 2000 } })).attempts.length, 1)
  t.equal(
    (await call({ script: [refusal('ERR_TOO_MANY_REQUESTS', 429), fine] })).attempts.length,
    1,
    'nothing is guessed'
  )
})

t.test('no access is asked again until the message must have settled', async t => {
  const hidden = refusal('ERR_MESSAGE_NO_ACCESS', 403)
  const { sleeps, result } = await call({ script: [hidden] })
  t.same(sleeps, [400, 600, 1000, 1000, 500])
  t.notOk(result.outOfTime)
  t.same((await call({ script: [hidden, hidden, fine] })).sleeps, [400, 600])
  t.ok((await call({ script: [hidden], deadline: { atMs: 100 } })).result.outOfTime)
})

t.test('a thread that does not exist is told as late as one that is hidden, and asked for once', async t => {
  const unknown = refusal('ERR_MESSAGE_ID_NOT_FOUND', 404)
  const { sleeps, attempts, result } = await call({ script: [unknown, fine] })
  t.same([sleeps, attempts.length], [[3500], 1])
  t.match(result.refusal, { code: 'thread-not-found' })
  t.ok((await call({ script: [unknown], deadline: { atMs: 100, isShortened: true } })).result.outOfTime)
})

t.test('the log is told a status and a code of a closed vocabulary', async t => {
  t.match((await call({ script: [refusal('ERR_BAD_REQUEST', 400)] })).attempts, [
    { status: 400, code: 'ERR_BAD_REQUEST' }
  ])
  t.match((await call({ script: [refusal('AUTH_ERR_x', 403)] })).attempts, [{ code: 'AUTH_ERR' }, { code: 'AUTH_ERR' }])
  t.match((await call({ script: [refusal(KEYS[0].reveal(), 400)] })).attempts, [{ status: 400, code: 'other' }])
  t.match((await call({ script: [failure('reset', true)] })).attempts, [{ code: 'ECONNRESET', status: undefined }])
})

/** Connections to which each exchange has this wait, and then, unless it is refused meanwhile, this duration. */
async function timed(waitMs: number, durationMs: number | undefined, result: ExchangeResult) {
  const { options, steps } = scripted(result)
  const { clock, connections } = options
  const attempts: Attempt[] = []
  const exchange: typeof connections.exchange = async (_request, { onTurn }) => {
    await clock.sleep(waitMs)
    if (durationMs !== undefined) {
      onTurn?.(clock.monotonic())
      await clock.sleep(durationMs)
    }
    return result
  }
  const deadline = { atMs: 10_000, onAttempt: (attempt: Attempt) => void attempts.push(attempt) }
  await requestWithRetries({ ...options, connections: { ...connections, exchange } }, build, deadline, false)
  return { attempts, steps }
}

t.test('each attempt is told with its call, its wait and what CometChat took', async t => {
  const { attempts, steps } = await timed(30, 300, refusal('ERR_BAD_REQUEST', 400))
  t.same(steps, [{ name: 'upstream-attempt', call: 'POST /users', queueMs: 30, durationMs: 300, status: 400 }])
  t.match(attempts, [{ call: 'POST /users', askedAtMs: 0, begunAtMs: 30, endedAtMs: 330 }])
})

t.test('an attempt whose turn never came took CometChat no time', async t => {
  const { attempts, steps } = await timed(80, undefined, failure('overloaded', false))
  t.same(steps, [
    { name: 'upstream-attempt', call: 'POST /users', queueMs: 80, durationMs: undefined, cause: 'overloaded' }
  ])
  t.match(attempts, [{ askedAtMs: 0, begunAtMs: undefined, endedAtMs: 80 }])
})
