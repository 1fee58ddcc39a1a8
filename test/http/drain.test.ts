import t from 'tap'
import { loadConfig } from '../../src/config/load-config.ts'
import { Drain } from '../../src/http/drain.ts'

/** What Kubernetes gives a pod between SIGTERM and SIGKILL unless it is told otherwise. */
const GRACE_MS = 30_000

const env = {
  COMETCHAT_APP_ID: 'a1b2c3',
  COMETCHAT_REGION: 'eu',
  COMETCHAT_API_KEY: 'api-key-1',
  AUTH_JWT_ISSUER: 'https://issuer.test',
  AUTH_JWT_AUDIENCE: 'replies'
}

function startAt(nowMs: number) {
  const time = { nowMs }
  return { time, clock: { monotonic: () => time.nowMs, now: () => time.nowMs, sleep: async () => undefined } }
}

t.test('with the defaults a drain is over before an orchestrator loses its patience', async t => {
  const { drainDelayMs, delivery } = loadConfig(env, () => '')

  const longestMs = drainDelayMs + new Drain(startAt(0).clock, delivery.deadlineMs).close()

  t.ok(longestMs > drainDelayMs + delivery.deadlineMs, 'a reply that begins last still ends')
  t.ok(longestMs < GRACE_MS, `${longestMs} ms`)
})

t.test('the warning about a long drain counts the time that a drain really takes', async t => {
  const closingMs = new Drain(startAt(0).clock, loadConfig(env, () => '').delivery.deadlineMs).close()
  const warnsOf = (drainMs: number): boolean => {
    const { warnings } = loadConfig({ ...env, DRAIN_DELAY_MS: `${drainMs - closingMs}` }, () => '')
    return warnings.some(text => text.includes('DRAIN_DELAY_MS'))
  }

  t.notOk(warnsOf(28_000))
  t.ok(warnsOf(28_001))
})

t.test('once it closes, a reply is taken only while it is sure to end in time', async t => {
  const { time, clock } = startAt(1000)
  const drain = new Drain(clock, 10_000, 2000)
  t.same([drain.draining, drain.hasTime()], [false, true])

  drain.begin()
  t.same([drain.draining, drain.hasTime()], [true, true])
  t.equal(drain.close(), 12_000)

  time.nowMs += 1999
  t.ok(drain.hasTime())
  time.nowMs += 1
  t.notOk(drain.hasTime())
})
