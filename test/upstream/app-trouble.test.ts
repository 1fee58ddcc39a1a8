import t from 'tap'
import type { ServiceEvent } from '../../src/observability/events.ts'
import { createAppTrouble } from '../../src/upstream/errors/app-trouble.ts'
import { interpret } from '../../src/upstream/transport/call-result.ts'
import { answer, failure, refusal } from './scripted-cometchat.ts'

const HOUR_MS = 3_600_000

function world() {
  const events: ServiceEvent[] = []
  const clock = { nowMs: 0, now: () => 0, monotonic: (): number => clock.nowMs, sleep: async () => undefined }
  const trouble = createAppTrouble(event => void events.push(event), clock)
  const note = (result: ReturnType<typeof answer>): void => trouble.note(interpret(result, clock))
  return { events, clock, trouble, note }
}

t.test('a refused app is an alarm once an hour for each code, and a warning until the next good answer', async t => {
  const { events, clock, trouble, note } = world()

  for (let call = 0; call < 5; call++) note(refusal('ERR_SUBSCRIPTION_EXPIRED', 402))
  note(refusal('ERR_API_NOT_FOUND', 404))
  t.same(
    events.map(event => 'upstreamCode' in event && event.upstreamCode),
    ['ERR_SUBSCRIPTION_EXPIRED', 'ERR_API_NOT_FOUND']
  )
  t.same(trouble.warnings(), [
    'cometchat-misconfigured: ERR_SUBSCRIPTION_EXPIRED',
    'cometchat-misconfigured: ERR_API_NOT_FOUND'
  ])

  clock.nowMs += HOUR_MS
  note(refusal('ERR_SUBSCRIPTION_EXPIRED', 402))
  t.match(events.at(-1), { alarm: 'upstream-misconfigured', upstreamCode: 'ERR_SUBSCRIPTION_EXPIRED', times: 5 })

  note(refusal('ERR_EMPTY_MESSAGE_TEXT', 400))
  note(failure('reset', true))
  note(answer('', 503))
  t.equal(trouble.warnings().length, 2, 'none of these is a good answer')
  note(answer({ data: {} }))
  t.same(trouble.warnings(), [])
})

t.test('a refused feature is an alarm and no warning', async t => {
  const { events, trouble, note } = world()

  note(refusal('ERR_PLAN_RESTRICTION', 403))
  note(refusal('ERR_PLAN_RESTRICTION', 403))

  t.match(events, [{ name: 'alarm', alarm: 'upstream-feature-refused', upstreamCode: 'ERR_PLAN_RESTRICTION' }])
  t.equal(events.length, 1)
  t.same(trouble.warnings(), [])
})
