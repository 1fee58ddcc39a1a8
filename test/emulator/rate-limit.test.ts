import t from 'tap'
import { call, reply, startEmulator, toBob, verdict } from './start-emulator.ts'

const MINUTE_MS = 60_000
const START_MS = 10 * MINUTE_MS

const headersOf = (headers: Headers) => Object.fromEntries([...headers].filter(([name]) => /^x-rate|^retry/.test(name)))

t.test('an ordinary answer tells the budget of the app in either dialect', async t => {
  const emulator = await startEmulator(t, { now: () => START_MS })

  t.strictSame(headersOf((await reply(emulator)).headers), {
    'x-rate-limit': '20000',
    'x-rate-limit-remaining': '19999'
  })
  emulator.switches.rateLimitHeaders = 'X-RateLimit'
  t.strictSame(headersOf((await reply(emulator, {})).headers), {
    'x-ratelimit-limit': '20000',
    'x-ratelimit-remaining': '19998',
    'x-ratelimit-reset': '660'
  })
  emulator.switches.rateLimitHeaders = 'none'
  t.strictSame(headersOf((await reply(emulator)).headers), {})
})

t.test('a user has so many messages a minute, and others are not touched', async t => {
  let nowMs = START_MS + 45_000
  const emulator = await startEmulator(t, { switches: { userMessagesPerMinute: 2 }, now: () => nowMs })
  await reply(emulator)
  await reply(emulator)

  const third = await reply(emulator)

  t.equal(verdict(third), '429 ERR_TOO_MANY_REQUESTS')
  t.strictSame(headersOf(third.headers), {
    'retry-after': '15',
    'x-rate-limit': '2',
    'x-rate-limit-remaining': '0',
    'x-rate-limit-reset': '660'
  })
  t.equal(verdict(await reply(emulator, { ...toBob, receiver: 'alice' }, { as: 'bob' })), '200')
  t.equal(verdict(await call(emulator, '/messages/100', { as: 'alice' })), '200', 'reading costs no message')
  nowMs += 15_000
  t.equal(verdict(await reply(emulator)), '200')
  t.equal(emulator.ledger.length, 4)
})

t.test('every receiver costs one message', async t => {
  const emulator = await startEmulator(t, { switches: { userMessagesPerMinute: 2 }, now: () => START_MS })

  const answer = await reply(emulator, { ...toBob, multipleReceivers: { uids: ['carol', 'dave'] } })

  t.equal(verdict(answer), '429 ERR_TOO_MANY_REQUESTS')
  t.strictSame(emulator.ledger, [])
})

t.test('the app has so many operations a minute', async t => {
  let nowMs = START_MS
  const emulator = await startEmulator(t, { switches: { appOperationsPerMinute: 2 }, now: () => nowMs })

  const verdicts = []
  for (let i = 0; i < 3; i += 1) verdicts.push(verdict(await call(emulator, '/messages/100')))
  nowMs += MINUTE_MS

  t.strictSame(verdicts, ['200', '200', '429 ERR_TOO_MANY_REQUESTS'])
  t.equal(verdict(await call(emulator, '/messages/100')), '200')
})

t.test('where the window slides, no 60 s hold more', async t => {
  let nowMs = START_MS + 59_000
  const switches = { userMessagesPerMinute: 2, userWindow: 'sliding' } as const
  const emulator = await startEmulator(t, { switches, now: () => nowMs })
  await reply(emulator)
  nowMs += 2000
  await reply(emulator)

  const third = await reply(emulator)
  t.equal(verdict(third), '429 ERR_TOO_MANY_REQUESTS', 'in another minute of the clock')
  t.equal(third.headers.get('retry-after'), '58')
  nowMs += 58_000
  t.equal((await reply(emulator)).status, 200)
})
