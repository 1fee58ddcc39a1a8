// Reading a thread: what an answer of CometChat that is no page, or no message, ends in.
import t from 'tap'
import { createCometChatThreads } from '../../../src/upstream/listing/threads.ts'
import { ANSWER_TOO_LARGE } from '../../../src/upstream/transport/answer-bytes.ts'
import type { ExchangeResult } from '../../../src/upstream/transport/exchange-types.ts'
import { ALICE, answer, failure, refusal, scripted } from '../scripted-cometchat.ts'

const DEADLINE = { atMs: 10_000 }
const THREAD = { parentId: '100', uid: ALICE }
const message = (id: string, change: object = {}) => ({
  id,
  sender: 'bob',
  receiver: 'alice',
  receiverType: 'user',
  category: 'message',
  type: 'text',
  data: { text: `text of ${id}` },
  sentAt: 1_700_000_000 + Number(id),
  ...change
})
const reply = (id: string, change: object = {}) => message(id, { parentId: '100', ...change })
const listed = (...results: readonly [ExchangeResult, ...ExchangeResult[]]) => {
  const { options } = scripted(...results)
  return createCometChatThreads(options).listReplies({ ...THREAD, limit: 30 }, DEADLINE)
}
const parent = (result: ExchangeResult) => createCometChatThreads(scripted(result).options).readParent(THREAD, DEADLINE)

t.test('a page is what CometChat lists, oldest first', async t => {
  const replies = [reply('101'), reply('102')]
  const { json } = await listed(answer({ data: replies }))
  t.same(JSON.parse(json), replies)
})

t.test('a parent is its message and how many replies it has', async t => {
  t.match(await parent(answer({ data: message('100', { replyCount: 7 }) })), { id: '100', replyCount: 7 })
  t.match(await parent(answer({ data: message('100') })), { replyCount: 0 }, 'nobody has replied')
  await t.rejects(parent(answer({ data: reply('100', { parentId: '90' }) })), { code: 'thread-not-found' })
})

t.test(
  'no answer, a refusal and an answer that is no list are told as what they are, and nothing was sent',
  async t => {
    for (const [result, code] of [
      [answer({ data: [] }, 500), 'upstream-error'],
      [failure('reset', true), 'upstream-reset'],
      [failure('unreachable', false), 'upstream-unreachable'],
      [refusal('ERR_MESSAGE_ID_NOT_FOUND', 404), 'thread-not-found'],
      [answer('<html>', 200), 'upstream-invalid'],
      [answer({ data: {} }), 'upstream-invalid']
    ] as const) {
      await t.rejects(listed(result), { code, delivery: 'not-sent' }, `a list: ${code}`)
      await t.rejects(parent(result), { code, delivery: 'not-sent' }, `a parent: ${code}`)
    }
  }
)

t.test('a message of another thread in the list is a mismatch', async t => {
  await t.rejects(listed(answer({ data: [reply('101', { parentId: '999' })] })), { code: 'upstream-mismatch' })
})

t.test('a page that is too large is read again in smaller ones', async t => {
  const tooLarge: ExchangeResult = { kind: 'failure', cause: 'unreadable', sent: true, errorCode: ANSWER_TOO_LARGE }
  const replies = [reply('101'), reply('102'), reply('103')]
  const { json } = await listed(tooLarge, answer({ data: replies }), answer({ data: [] }))
  t.same(JSON.parse(json), replies)
})

t.test('a read whose connection is lost is made once more', async t => {
  const lost = failure('reset', true)
  t.same(JSON.parse((await listed(lost, answer({ data: [reply('101')] }))).json), [reply('101')])
  const again = scripted(lost, answer({ data: message('100') }))
  t.match(await createCometChatThreads(again.options).readParent(THREAD, DEADLINE), { id: '100' })
})

t.test('a CometChat that takes no cursor is asked by page', async t => {
  const place = { direction: 'older', paging: 'cursor', id: '103', sentAt: 1_700_000_103 } as const
  const { options, requests } = scripted(
    refusal('ERR_BAD_REQUEST', 400),
    answer({ data: [reply('101'), reply('102'), reply('103')] })
  )
  const { json } = await createCometChatThreads(options).listReplies({ ...THREAD, limit: 30, place }, DEADLINE)
  t.same(JSON.parse(json), [reply('101'), reply('102')])
  t.match(requests[0]?.path, /affix=prepend/)
  t.notMatch(requests[1]?.path, /affix/)
})
