// A reply that is refused if it is new: its key is looked up all the same.
import t from 'tap'
import type { ReplyCommand } from '../../src/delivery/command.ts'
import { createDelivery } from '../../src/delivery/deliver.ts'
import { createRecordKeys } from '../../src/delivery/record-keys.ts'
import { createMemoryStore } from '../../src/delivery/stores/memory/store.ts'
import { AppError } from '../../src/errors.ts'
import type { CometChatUid } from '../../src/lib/service/cometchat-uid.ts'
import { LogFields } from '../../src/observability/log-fields.ts'
import type { CometChatClient } from '../../src/upstream/cometchat-client.ts'
import { createFakeClock, MINUTE_MS } from './fake-clock.ts'

const REFUSAL = new AppError('overloaded', 'Too much to do.', {
  reason: 'event-loop',
  violatedPolicies: ['event-loop']
})

function start() {
  const clock = createFakeClock()
  const asked: string[] = []
  let post = async () => ({ messageId: '8', body: '{"data":{"id":"8"}}' })
  const cometchat = {
    postReply: () => {
      asked.push('post')
      return post()
    },
    findReply: async () => {
      asked.push('find')
      return { messageId: '8', body: '{"data":{"id":"8"}}' }
    },
    timeMs: () => undefined
  }
  const delivery = createDelivery({
    cometchat: cometchat as unknown as CometChatClient,
    receiverOf: async () => ({ receiver: 'bob', receiverType: 'user' }),
    store: createMemoryStore({ monotonic: () => clock.monotonic() }),
    recordKeys: createRecordKeys(undefined),
    clock,
    storeKind: 'memory',
    notes: { find: async () => undefined },
    emit: () => undefined,
    deadlineMs: 10_000,
    quietPeriodMs: 2 * MINUTE_MS,
    marker: true
  })
  const order: ReplyCommand = {
    parentId: '7',
    message: { category: 'message', type: 'text', data: { text: 'hi' } },
    author: { issuer: 'issuer', subject: 'alice', uid: 'alice' as CometChatUid },
    isWaiting: () => true,
    facts: new LogFields()
  }
  const keyed = { ...order, idempotencyKey: 'key' }
  const fails = (how: () => Promise<never>): void => {
    post = how
  }
  return { clock, asked, delivery, order, keyed, fails }
}

t.test('a new reply is refused before anything is asked, with a key and without', async t => {
  const { asked, delivery, order, keyed } = start()
  for (const one of [order, keyed]) {
    await t.rejects(delivery.deliver({ ...one, refusal: REFUSAL }), { code: 'overloaded', delivery: 'not-sent' })
  }
  t.same(asked, [])
  t.match(await delivery.deliver(keyed), { replayed: false }, 'and its key is free')
})

t.test('a reply that was sent is told again', async t => {
  const { asked, delivery, keyed } = start()
  await delivery.deliver(keyed)
  t.match(await delivery.deliver({ ...keyed, refusal: REFUSAL }), { messageId: '8', replayed: true })
  t.same(asked, ['post'])
})

t.test('a reply in doubt is looked for', async t => {
  const { clock, asked, delivery, keyed, fails } = start()
  fails(async () => {
    throw new AppError('upstream-reset', 'The connection was lost.')
  })
  await t.rejects(delivery.deliver(keyed), { code: 'upstream-reset', delivery: 'unknown' })
  clock.pass(MINUTE_MS)
  t.match(await delivery.deliver({ ...keyed, refusal: REFUSAL }), { messageId: '8', replayed: true })
  t.same(asked, ['post', 'find'])
})
