import t from 'tap'
import type { ReplyCommand } from '../../src/delivery/command.ts'
import { createShedding } from '../../src/parts/overload/shedding.ts'

const limitsOf = (mode: 'enforce' | 'observe' | 'off') => ({ limits: { mode } }) as Parameters<typeof createShedding>[0]
const unkeyed = { parentId: '1' } as ReplyCommand
const keyed = { parentId: '1', idempotencyKey: 'key' } as ReplyCommand

function create(delayMs: number, mode: 'enforce' | 'observe' | 'off' = 'enforce') {
  const events: unknown[] = []
  const shedding = createShedding(limitsOf(mode), {
    clock: { monotonic: () => 0 },
    random: () => 0.5,
    emit: event => void events.push(event),
    eventLoop: { delayMs: () => delayMs, close: () => undefined }
  })
  const isRefused = (method: string, headers = {}): boolean => {
    try {
      shedding.check({ method, headers })
      return false
    } catch {
      return true
    }
  }
  return { shedding, events, isRefused }
}

t.test('reads go first, then messages without a key, last those whose key may ask what became of a reply', async t => {
  const withKey = { 'idempotency-key': '"k"' }
  const given = (delayMs: number): readonly boolean[] => {
    const { isRefused } = create(delayMs)
    return [isRefused('GET'), isRefused('HEAD'), isRefused('POST'), isRefused('POST', withKey)]
  }
  t.same(given(0), [false, false, false, false])
  t.same(given(260), [true, true, false, false])
  t.same(given(510), [true, true, true, false])
  t.same(given(1010), [true, true, true, true])
})

t.test('a message with a key is refused only if it is new', async t => {
  const { shedding, events } = create(510)
  t.match(shedding.admit(keyed), { ...keyed, refusal: { code: 'overloaded', delivery: 'not-sent' } })
  t.equal(shedding.admit(unkeyed), unkeyed, 'its turn was before')
  t.same(shedding.warnings?.(), ['limit: event-loop'])
  t.same(events, [{ name: 'limit-acting', policy: 'event-loop', times: 1, isEnforced: true }])
  t.equal(create(100).shedding.admit(keyed), keyed)
})

t.test('where limits observe, or are off, nothing is refused', async t => {
  for (const mode of ['observe', 'off'] as const) {
    const { shedding, isRefused, events } = create(10_000, mode)
    t.notOk(isRefused('GET'))
    t.equal(shedding.admit(keyed), keyed)
    t.equal(events.length, mode === 'observe' ? 1 : 0)
  }
})
