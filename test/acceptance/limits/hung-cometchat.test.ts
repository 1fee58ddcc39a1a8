// CometChat takes requests and answers nothing. The emulator's own list says what it was handed.
import t from 'tap'
import { startTarget } from '../../helpers/target.ts'
import { until } from '../../helpers/until.ts'

const ON = {
  LIMIT_MODE: undefined,
  LIMIT_USER_PER_MINUTE: '0',
  // All callers are there before the first of them gives up, on a busy machine, too.
  REPLY_DEADLINE_MS: '6000'
}
const CALLERS = 200

t.test('what waits for a hung CometChat is refused as certainly not sent, and never handed over late', async t => {
  const target = await startTarget(t, { env: ON })
  t.equal((await target.post({ as: 'alice' })).status, 201)
  const before = target.emulator.requests.length
  target.emulator.failWithSeed(1, 1, ['stall'])

  const answers = await Promise.all(Array.from({ length: CALLERS }, () => target.post({ as: 'alice' })))

  const handed = target.emulator.requests.slice(before).filter(({ method }) => method === 'POST').length
  const unknown = answers.filter(({ json }) => json['delivery'] === 'unknown').length
  const overloaded = answers.filter(({ json }) => json['code'] === 'overloaded')
  t.ok(handed <= unknown, `${handed} were handed over, ${unknown} are in doubt`)
  t.ok(unknown <= 128, 'no more than were under way')
  t.ok(overloaded.length > 0, `${overloaded.length} are refused`)
  for (const { status, json } of overloaded) {
    // A machine that is busy with other things may have the event loop late as well.
    t.match(json, { delivery: 'not-sent', retryable: true, 'violated-policies': [/^(upstream-|event-loop$)/] })
    t.equal(status, 503)
  }
  target.emulator.failWithSeed(1, 0, [])
  await until(async () => (await target.post({ as: 'alice' })).status === 201)
})
