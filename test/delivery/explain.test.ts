// What would become of a reply is told by a part that cannot send one.
import t from 'tap'
import type { ReplyCommand } from '../../src/delivery/command.ts'
import { createDelivery } from '../../src/delivery/deliver.ts'
import { createExplain, type ExplainOptions } from '../../src/delivery/explain.ts'
import type { RecordStore } from '../../src/delivery/record.ts'
import { createRecordKeys } from '../../src/delivery/record-keys.ts'
import { createMemoryStore } from '../../src/delivery/stores/memory/store.ts'
import { AppError } from '../../src/errors.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { CometChatUid } from '../../src/lib/service/cometchat-uid.ts'
import { LogFields } from '../../src/observability/log-fields.ts'
import type { CometChatClient } from '../../src/upstream/cometchat-client.ts'
import { createReceivers } from '../../src/upstream/receivers.ts'
import { showReply } from '../../src/upstream/shown-request.ts'

const RECEIVER = { receiver: 'bob', receiverType: 'user' } as const
const FINGERPRINT = 'sha256:12345678'
const broken = (): never => {
  throw new Error('CometChat was called')
}
/** Every call throws, so whatever is called is a failure of the test. */
const FORBIDDEN: CometChatClient = { readMessage: broken, findReply: broken, postReply: broken, timeMs: broken }

function orderOf(change: Partial<ReplyCommand> = {}): ReplyCommand {
  return {
    parentId: '100',
    message: { category: 'message', type: 'text', data: { text: 'hello' }, ...RECEIVER },
    author: { issuer: 'https://issuer.test', subject: 'alice', uid: 'alice' as CometChatUid },
    isWaiting: () => true,
    facts: new LogFields(),
    ...change
  }
}

function open(change: Partial<ExplainOptions> = {}) {
  const store = createMemoryStore({ monotonic: () => 0 })
  const recordKeys = createRecordKeys('a secret')
  const options: ExplainOptions = {
    store,
    recordKeys,
    marker: true,
    receiverOf: createReceivers(FORBIDDEN),
    requestOf: (reply, receiver) =>
      showReply({ origin: 'https://chat.test', keyFingerprint: FINGERPRINT }, reply, receiver),
    clock: { monotonic: () => 0 },
    deadlineMs: 10_000,
    ...change
  }
  let posts = 0
  const delivery = createDelivery({
    store,
    recordKeys,
    marker: true,
    storeKind: 'memory',
    notes: { find: async () => undefined },
    emit: () => undefined,
    receiverOf: createReceivers(FORBIDDEN),
    cometchat: {
      ...FORBIDDEN,
      timeMs: () => undefined,
      postReply: async () => {
        posts++
        return { messageId: '7', body: '{"data":{"id":"7"}}' }
      }
    },
    clock: { ...systemClock, monotonic: () => 0 },
    deadlineMs: 10_000,
    quietPeriodMs: 120_000
  })
  return { explain: createExplain(options), store, delivery, posts: () => posts }
}

t.test('nothing that it is given can post: the types say so', async t => {
  const { store } = open()
  const given = { store } as unknown as ExplainOptions
  // @ts-expect-error refuses `acquire`: the type of the store has `peek` alone, so that looking can claim no key
  t.type(given.store.acquire, 'function', 'although the object behind it has')
  // @ts-expect-error refuses `cometchat`: without a client nothing can be posted
  t.equal(given.cometchat, undefined)
  // @ts-expect-error refuses `keyring`: what is shown cannot hold the key where the key cannot be reached
  t.equal(given.keyring, undefined)
})

t.test('with a client whose every call throws it tells what would be sent, the key as its fingerprint', async t => {
  const { explain } = open()
  const { decision, request } = await explain(orderOf({ traceparent: '00-aa-bb-01' }))

  t.same(decision, { action: 'send' })
  t.match(request, {
    method: 'POST',
    url: 'https://chat.test/v3/messages/100/thread',
    headers: {
      apikey: FINGERPRINT,
      onBehalfOf: 'alice',
      accept: 'application/json',
      'content-type': 'application/json',
      traceparent: '00-aa-bb-01'
    },
    body: { ...RECEIVER, category: 'message', type: 'text', data: { text: 'hello', metadata: { bffDelivery: String } } }
  })
})

t.test('a key that is explained is not claimed: a reply that comes then is sent, and only once', async t => {
  const { explain, delivery, store, posts } = open()
  const order = (): ReplyCommand => orderOf({ idempotencyKey: 'a-key' })
  for (let time = 0; time < 3; time++) t.same((await explain(order())).decision, { action: 'send' })
  t.equal(store.size, 0, 'there is no record')

  const sent = await delivery.deliver(order())
  t.equal(sent.replayed, false)
  t.same((await explain(order())).decision, { action: 'replay', messageId: '7' }, 'now it would be replayed')
  t.equal((await delivery.deliver(order())).replayed, true)
  t.equal(posts(), 1)
  const other = orderOf({
    idempotencyKey: 'a-key',
    message: { ...RECEIVER, category: 'message', type: 'text', data: { text: 'other' } }
  })
  t.match((await explain(other)).decision, { action: 'refuse', refusal: { code: 'idempotency-key-reused' } })
})

t.test('what a key stands for is told as a delivery would tell it', async t => {
  const refusal = { kind: 'refused', code: 'thread-not-found', detail: 'No such thread.' } as const
  const inDoubt = { kind: 'in-doubt', owner: 'A', quietForMs: 1 } as const
  const cases: [peek: RecordStore['peek'], decision: object][] = [
    [async () => ({ kind: 'in-flight' }), { action: 'refuse', refusal: { code: 'idempotency-in-flight' } }],
    [async () => inDoubt, { action: 'search' }],
    [async () => refusal, { action: 'replay', refusal: { code: 'thread-not-found' } }],
    [
      async () => ({ kind: 'done', messageId: '9' }),
      { action: 'replay', refusal: { code: 'upstream-contract', options: { messageId: '9' } } }
    ],
    [
      () => Promise.reject(new Error('away')),
      { action: 'refuse', refusal: { code: 'store-unavailable', delivery: 'unknown' } }
    ]
  ]
  for (const [peek, decision] of cases) {
    const { explain } = open({ store: { peek, msSinceDataLoss: () => undefined } })
    t.match((await explain(orderOf({ idempotencyKey: 'k' }))).decision, decision)
  }
  const lossy = { peek: async () => ({ kind: 'acquired' }) as const, msSinceDataLoss: () => 5 }
  const { explain } = open({ store: lossy })
  t.same((await explain(orderOf({ idempotencyKey: 'k' }))).decision, { action: 'search' }, 'records may be lost')
  t.same((await explain(orderOf())).decision, { action: 'send' }, 'which matters to no reply without a key')
})

t.test('what refuses a new reply is told, and of an earlier one the truth all the same', async t => {
  const refusal = new AppError('rate-limited', 'Too many.', { reason: 'limit-user' })
  const { explain, delivery } = open()
  const refused = { action: 'refuse', refusal: { code: 'rate-limited' } }
  t.match(await explain(orderOf({ refusal })), { decision: refused, request: { method: 'POST' } })
  t.match((await explain(orderOf({ refusal, idempotencyKey: 'k' }))).decision, refused)
  await delivery.deliver(orderOf({ idempotencyKey: 'k' }))
  t.match((await explain(orderOf({ refusal, idempotencyKey: 'k' }))).decision, { action: 'replay', messageId: '7' })

  const late = open({
    refusalBeforeSend: () => new AppError('store-unavailable', 'The audit file.', { reason: 'audit-file' })
  })
  t.match((await late.explain(orderOf())).decision, { action: 'refuse', refusal: { code: 'store-unavailable' } })
})

t.test('the parent is read only where the receiver is not known and the reply would be sent', async t => {
  let reads = 0
  const receiverOf = createReceivers({
    readMessage: async () => {
      reads++
      if (reads > 1) throw new AppError('thread-not-found', 'No such thread.')
      return { sender: 'bob', receiver: 'alice', receiverType: 'user', isReply: false }
    }
  })
  const { explain } = open({ receiverOf })
  const message = { category: 'message', type: 'text', data: { text: 'hello' } }
  const refusal = new AppError('rate-limited', 'Too many.', { reason: 'limit-user' })

  t.equal((await explain(orderOf({ message, refusal }))).request, undefined)
  t.equal(reads, 0)
  t.match((await explain(orderOf({ message }))).request?.body, RECEIVER)
  t.match((await explain(orderOf({ message }))).request?.body, RECEIVER)
  t.equal(reads, 1, 'it is remembered')
  const unseen = await explain(orderOf({ message, parentId: '200' }))
  t.match(unseen.decision, { action: 'refuse', refusal: { code: 'thread-not-found' } })
  t.equal(unseen.request, undefined)
})

t.test('a message that is too long is refused as it would be; a bug is none of what would become of it', async t => {
  const { explain } = open()
  const message = { ...RECEIVER, category: 'message', type: 'text', data: { text: 'x'.repeat(70_000) } }
  t.match((await explain(orderOf({ message }))).decision, { action: 'refuse', refusal: { code: 'invalid-request' } })
  const bare = { category: 'message', type: 'text', data: { text: 'hello' } }
  await t.rejects(explain(orderOf({ message: bare })), { message: 'CometChat was called' })
})
