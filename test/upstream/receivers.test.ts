import t from 'tap'
import type { CometChatUid } from '../../src/lib/service/cometchat-uid.ts'
import { createReceivers } from '../../src/upstream/receivers.ts'
import type { Parent } from '../../src/upstream/types.ts'
import { ALICE } from './scripted-cometchat.ts'

const DEADLINE = { atMs: 10_000 }
const BOB = 'bob' as CometChatUid
const TWO: Parent = { sender: 'bob', receiver: 'alice', receiverType: 'user', isReply: false }

function receiversOf(parent: Parent) {
  const reads: string[] = []
  const receiverOf = createReceivers({
    readMessage: async (parentId, uid) => {
      reads.push(`${uid} ${parentId}`)
      return parent
    }
  })
  return { receiverOf, reads }
}

t.test('in a conversation of two it is the other one, whoever began the thread', async t => {
  t.strictSame(await receiversOf(TWO).receiverOf('1', ALICE, DEADLINE), { receiver: 'bob', receiverType: 'user' })
  t.strictSame(await receiversOf(TWO).receiverOf('1', BOB, DEADLINE), { receiver: 'alice', receiverType: 'user' })
})

t.test('in a group it is the group', async t => {
  const { receiverOf } = receiversOf({ ...TWO, receiver: 'team', receiverType: 'group' })

  t.strictSame(await receiverOf('1', ALICE, DEADLINE), { receiver: 'team', receiverType: 'group' })
})

t.test('a reply has no thread of its own, in a group neither', async t => {
  for (const receiverType of ['user', 'group'] as const) {
    const { receiverOf } = receiversOf({ ...TWO, receiverType, isReply: true })
    await t.rejects(receiverOf('1', ALICE, DEADLINE), { code: 'thread-mismatch' })
  }
})

t.test('a conversation of two others is no thread for anybody else', async t => {
  const { receiverOf } = receiversOf({ ...TWO, receiver: 'carol' })

  await t.rejects(receiverOf('1', ALICE, DEADLINE), { code: 'thread-not-found' })
  t.equal(receiverOf.known?.('1', ALICE), undefined)
})

t.test('what was read is remembered for that user and that message', async t => {
  const { receiverOf, reads } = receiversOf(TWO)
  t.equal(receiverOf.known?.('1', ALICE), undefined)
  const first = await receiverOf('1', ALICE, DEADLINE)

  t.equal(receiverOf.known?.('1', ALICE), first)
  t.equal(await receiverOf('1', ALICE, DEADLINE), first)
  t.equal(receiverOf.known?.('1', BOB), undefined)
  t.equal(receiverOf.known?.('2', ALICE), undefined)
  t.strictSame(reads, ['alice 1'])
})
