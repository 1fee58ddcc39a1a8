import t from 'tap'
import { AppError } from '../../src/errors.ts'
import type { ServiceEvent } from '../../src/observability/events.ts'
import type { CometChatClient } from '../../src/upstream/cometchat-client.ts'
import { withEnsuredSender } from '../../src/upstream/ensure-sender.ts'
import { unknownSender } from '../../src/upstream/errors/upstream-error.ts'
import type { NewUser } from '../../src/upstream/types.ts'
import { ALICE } from './scripted-cometchat.ts'

const DEADLINE = { atMs: 10_000 }
const REPLY = { parentId: '1', uid: ALICE, message: { category: 'message', type: 'text', data: {} } }
const TO_BOB = { receiver: 'bob', receiverType: 'user' } as const
const POSTED = { messageId: '9', body: '{}' }
const PARENT = { ...TO_BOB, sender: 'alice', isReply: false }
/** What CometChat says in a post of a sender and of a receiver alike. */
const noSuchUser = () => new AppError('rejected-by-cometchat', 'No such user.', { reason: 'unknown-user' })

interface WorldOptions {
  readonly create?: boolean
  /** Those whom CometChat knows. */
  readonly known?: readonly string[]
  readonly isDeactivated?: boolean
}

/** A CometChat that knows some users; `calls` says what it was asked, in order. */
function worldOf({ create = true, known = [], isDeactivated = false }: WorldOptions = {}) {
  const users = new Set(known)
  const calls: string[] = []
  const created: NewUser[] = []
  const events: ServiceEvent[] = []
  const client = {
    async readMessage(_id: string, uid: string) {
      calls.push('read')
      if (!users.has(uid)) throw unknownSender()
      return PARENT
    },
    async postReply({ uid }: { uid: string }, { receiver }: { receiver: string }) {
      calls.push('post')
      if (!users.has(uid) || !users.has(receiver)) throw noSuchUser()
      return POSTED
    }
  }
  const ensured = withEnsuredSender({
    client: client as unknown as CometChatClient,
    users: {
      async exists(uid) {
        calls.push('exists')
        return users.has(uid)
      },
      async create(uid, user) {
        calls.push('create')
        await Promise.resolve()
        if (isDeactivated) return 'exists'
        users.add(uid)
        created.push(user)
        return 'created'
      }
    },
    create,
    emit: event => void events.push(event)
  })
  return {
    ...ensured,
    calls,
    created,
    events,
    users,
    read: () => ensured.readMessage('1', ALICE, DEADLINE, { name: 'Alice' }),
    post: () => ensured.postReply(REPLY, TO_BOB, DEADLINE)
  }
}

t.test('a sender whom CometChat knows costs no further call', async t => {
  const { read, post, calls } = worldOf({ known: ['alice', 'bob'] })

  t.equal(await read(), PARENT)
  t.equal(await post(), POSTED)
  t.strictSame(calls, ['read', 'post'])
})

t.test('a sender who is missing is created once, and what was refused is asked again', async t => {
  const reading = worldOf({ known: ['bob'] })
  t.equal(await reading.read(), PARENT)
  t.strictSame(reading.calls, ['read', 'create', 'read'])
  t.strictSame(reading.created, [{ name: 'Alice' }])
  t.strictSame(reading.events, [{ name: 'user-created', uid: 'alice' }])

  const posting = worldOf({ known: ['bob'] })
  t.equal(await posting.post(), POSTED)
  t.strictSame(posting.calls, ['post', 'exists', 'create', 'post'])
})

t.test('calls of one missing sender at once share one creation', async t => {
  const { read, calls, events } = worldOf({ known: ['bob'] })

  t.strictSame(await Promise.all([read(), read(), read()]), [PARENT, PARENT, PARENT])
  t.equal(calls.filter(call => call === 'create').length, 1)
  t.equal(events.length, 1)
})

t.test('a user who was created and is still not seen is not created again', async t => {
  const { read, users, calls } = worldOf({ known: ['bob'] })
  await read()
  users.delete('alice')

  await t.rejects(read(), { code: 'identity-unmappable' })
  t.strictSame(calls, ['read', 'create', 'read', 'read', 'read'])
})

t.test('where senders are not created, a missing one is refused as such', async t => {
  const { read, post, calls } = worldOf({ create: false, known: ['bob'] })
  const refused = { code: 'identity-unmappable', delivery: 'not-sent', options: { reason: 'unknown-user' } }

  await t.rejects(read(), refused)
  await t.rejects(post(), refused)
  t.strictSame(calls, ['read', 'post', 'exists'])
})

t.test('a receiver who is missing is the refusal that it was, and nobody is created', async t => {
  const { post, calls } = worldOf({ known: ['alice'] })

  await t.rejects(post(), { code: 'rejected-by-cometchat' })
  t.strictSame(calls, ['post', 'exists'])
})

t.test('with sender and receiver missing the sender is created, and the receiver refused', async t => {
  const { post, calls } = worldOf()

  await t.rejects(post(), { code: 'rejected-by-cometchat' })
  t.strictSame(calls, ['post', 'exists', 'create', 'post', 'exists'])
})

t.test('a user whom an operator deactivated stays so', async t => {
  const { read, calls } = worldOf({ known: ['bob'], isDeactivated: true })

  await t.rejects(read(), { code: 'identity-unmappable', options: { reason: 'user-deactivated' } })
  t.strictSame(calls, ['read', 'create'])
})

t.test('any other failure is passed on, and nobody is looked for or created', async t => {
  for (const code of ['upstream-reset', 'rejected-by-cometchat', 'thread-not-found'] as const) {
    const { readMessage, postReply, calls } = withFailing(code)

    await t.rejects(readMessage('1', ALICE, DEADLINE), { code })
    await t.rejects(postReply(REPLY, TO_BOB, DEADLINE), { code })
    t.strictSame(calls, [], code)
  }
})

function withFailing(code: 'upstream-reset' | 'rejected-by-cometchat' | 'thread-not-found') {
  const calls: string[] = []
  const fail = () => Promise.reject(new AppError(code, 'It fails.'))
  const { readMessage, postReply } = withEnsuredSender({
    client: { readMessage: fail, postReply: fail } as unknown as CometChatClient,
    users: {
      exists: async () => Boolean(calls.push('exists')),
      create: async () => {
        calls.push('create')
        return 'created'
      }
    },
    create: true,
    emit: () => undefined
  })
  return { readMessage, postReply, calls }
}
