// What CometChat was seen to list, and what it was seen to leave of messages that are removed and edited, as pages of a
// thread that is searched.
import t from 'tap'
import type { CometChatUid } from '../../../src/lib/service/cometchat-uid.ts'
import type { ThreadMessage } from '../../../src/upstream/thread/page.ts'
import { readThreadPage } from '../../../src/upstream/thread/read-page.ts'
import { searchThread } from '../../../src/upstream/thread/search.ts'
import { recording, recordingNames } from '../../emulator/recordings.ts'

type Json = Record<string, unknown>

const MARKER = 'AAAAAAAAAAAAAAAAAAAAAA'
const PARENT = '1'
const HELLO = { category: 'message', type: 'text', data: { text: 'hello spider' } }

const soughtBy = (uid: string) => ({ parentId: PARENT, uid: uid as CometChatUid, marker: MARKER, message: HELLO })

function read(data: unknown, uid: string, meta: unknown = {}) {
  return readThreadPage(Buffer.from(JSON.stringify({ data, meta })), soughtBy(uid))
}

function messagesOf(data: readonly unknown[], uid: string): readonly ThreadMessage[] {
  const page = read(data, uid)
  return page?.kind === 'messages' ? page.messages : []
}

/** A thread that has these messages only, in a CometChat that goes by pages. */
function search(data: readonly unknown[], uid: string, sinceMs: number) {
  return searchThread({
    sizes: [50, 10, 1],
    maxPageBytes: 1e6,
    maxReads: 20,
    wantsProof: true,
    sinceMs,
    readPage: async ({ page, cursor }) => {
      const shown = cursor ? { kind: 'refused' as const } : read(page === 1 ? data : [], uid)
      if (!shown) throw new Error('it cannot be read')
      return shown
    }
  })
}

/** The message that a recorded action tells of, as a list of the thread shows it. */
function actedOn(action: Json): Json {
  const { entities } = action['data'] as { entities: { on: { entity: Json } } }
  return entities.on.entity
}

for (const name of recordingNames('threads')) {
  t.test(`${name}: its messages are read, a reply among them is found, and one that is not is absent`, async t => {
    const { data, meta } = recording('threads', name) as { data: Json[]; meta: Json }
    const [message = {}] = data
    const [sender, sentAt] = [String(message['sender']), Number(message['sentAt'])]

    t.match(read(data, 'superman', meta), {
      messages: [{ id: '2', sentAt }],
      next: { affix: 'append', sentAt, id: '3' }
    })
    const ours = { ...message, data: { ...(message['data'] as Json), metadata: { bffDelivery: MARKER } } }
    t.match(await search([message, { ...ours, id: '3' }], sender, sentAt * 1000), { kind: 'found' })
    t.equal(await search(data, sender, sentAt * 1000), 'absent', 'another text without an edit changes nothing')
  })
}

/** Edits, and removals, which leave neither sender nor time. */
const ACTIONS = [
  'oas2023-delete-messages-id',
  'oas2026-delete-messages-id',
  'oas2023-put-messages-id',
  'oas2026-put-messages-id',
  'wh-message-deleted-action',
  'wh-message-edited-action'
]

for (const name of ACTIONS) {
  t.test(`${name}: what is left of the message, and the action, may be the reply`, async t => {
    const action = recording('responses', name) as Json
    const subject = actedOn(action)
    const [changedAt, sentAt] = [Number(action['sentAt']), Number(subject['sentAt'] ?? action['sentAt'])]
    const owner = String(action['sender'])
    const isBare = subject['sender'] === undefined
    t.equal(isBare, name === 'wh-message-deleted-action')

    for (const listed of [[subject], [action], [action, subject]]) {
      for (const uid of [owner, 'superman']) {
        // What names no sender may be of anybody.
        const isBlocked = uid === owner || isBare
        const what = `${uid}, ${listed.length} listed`
        t.equal(await search(listed, uid, sentAt * 1000), isBlocked ? 'unproven' : 'absent', what)
        t.equal(await search(listed, uid, (changedAt + 600) * 1000), 'absent', `${what}: older than the first attempt`)
      }
    }
    const marked = { ...subject, sender: 'superman', data: { metadata: { bffDelivery: 'of another reply' } } }
    if (!isBare)
      t.match(messagesOf([marked], 'superman'), [{ isSuspect: undefined }], 'with another mark it is another')
  })
}

t.test('an action about a member of the group is about no reply', async t => {
  const kicked = { id: '9', category: 'action', type: 'groupMember', sender: 'bob', sentAt: 1e9 }
  const data = { action: 'kicked', entities: { on: { entity: { uid: 'cometchat-uid-1' }, entityType: 'user' } } }
  t.equal(await search([{ ...kicked, data }], 'cometchat-uid-1', 1e12), 'absent')
})

t.test('an action that tells of the sought reply itself, mark and all, proves that it was posted', async t => {
  const action = recording('responses', 'wh-message-edited-action') as Json
  const edited = structuredClone(action)
  Object.assign(actedOn(edited), { data: { text: 'another', metadata: { bffDelivery: MARKER } } })
  t.equal(await search([edited], 'cometchat-uid-1', Number(actedOn(edited)['sentAt']) * 1000), 'unproven')
})
