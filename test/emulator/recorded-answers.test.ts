// Every recorded answer that holds messages: the emulator makes it in the same shape, or says why it does not.
import t, { type Test } from 'tap'
import type { CometChatEmulator } from '../../emulator/handles.ts'
import type { Switches } from '../../emulator/switches.ts'
import { type RecordingFolder, recording, recordingNames, shapeOf } from './recordings.ts'
import { call, startEmulator } from './start-emulator.ts'

const [ONE, TWO] = ['cometchat-uid-1', 'cometchat-uid-2']
const GROUP = 'cometchat-guid-1'
const toTwo = { receiver: TWO, receiverType: 'user', category: 'message', type: 'text' }
const text = { ...toTwo, data: { text: 'hi' } }
const marked = { ...toTwo, data: { text: 'test     hello', metadata: { key1: 'val1' } } }
const attachment = {
  url: 'https://www.gstatic.com/webp/gallery/1.png',
  mimeType: 'image/png',
  name: 'a',
  extension: 'png'
}

interface World {
  readonly emulator: CometChatEmulator
  /** Moves the clock of CometChat on. */
  readonly pass: (ms: number) => void
}

type Producer = (world: World) => Promise<unknown>

const post = async ({ emulator }: World, body: object, path = '/messages'): Promise<Record<string, unknown>> =>
  (await call(emulator, path, { as: ONE, body })).json.data
const reply = (world: World, body: object = marked) => post(world, body, '/messages/1/thread')
const read = async ({ emulator }: World, id: unknown) => (await call(emulator, `/messages/${id}`)).json.data
const list = async ({ emulator }: World) => {
  const { data, meta } = (await call(emulator, '/messages/1/thread', { as: ONE })).json
  return { data, meta }
}
const change = async ({ emulator }: World, method: string, as: string | null, body?: object) =>
  (await call(emulator, '/messages/1', { method, as, ...(body && { body }) })).json.data

const posted =
  (body: object): Producer =>
  world =>
    post(world, body)
const moderated =
  (verdict: Switches['moderationVerdict'] | 'pending'): Producer =>
  async world => {
    Object.assign(world.emulator.switches, { moderation: 'pending', injectedExtensions: ['link-preview'] })
    const message = await post(world, text)
    if (verdict === 'pending') return message
    world.emulator.switches.moderationVerdict = verdict
    world.pass(3000)
    return read(world, message['id'])
  }
const received =
  (uids: readonly string[], switches: Partial<Switches> = {}): Producer =>
  async world => {
    Object.assign(world.emulator.switches, switches)
    return post(world, { category: 'message', type: 'text', data: { text: 'x' }, multipleReceivers: { uids } })
  }
const replied: Producer = world => reply(world)
const listedReply: Producer = async world => {
  await reply(world)
  return ((await list(world)).data as unknown as unknown[])[0]
}
const listed: Producer = async world => {
  await reply(world)
  return list(world)
}
/** As the recorded one: the app edits, so that `editedBy` is `app_system`, and the message has tags. */
const editedByApp: Producer = world => change(world, 'PUT', null, { data: { text: 'hello spider' }, tags: ['t6'] })

const PRODUCED: Record<'responses' | 'threads', Readonly<Record<string, Producer>>> = {
  responses: {
    'oas2026-post-messages': posted(marked),
    'oas2023-post-messages': posted(marked),
    'oas2026-get-messages-0': async world => read(world, (await post(world, marked))['id']),
    'oas2023-get-messages-0': async world => read(world, (await post(world, marked))['id']),
    'oas2026-post-messages-id-thread': replied,
    'oas2023-post-messages-id-thread': replied,
    'oas2026-get-messages-id-thread-0': listedReply,
    'oas2023-get-messages-id-thread-0': listedReply,
    'oas2026-put-messages-id': editedByApp,
    'oas2023-put-messages-id': editedByApp,
    'wh-message-sent': posted(text),
    'wh-message-edited-action': world => change(world, 'PUT', ONE, { data: { text: 'hello' } }),
    'wh-message-deleted-action': world => change(world, 'DELETE', ONE),
    'wh-user-mentioned': posted({ ...toTwo, data: { text: `Hi <@uid:${TWO}>` } }),
    'wh-moderation-pending': moderated('pending'),
    'wh-moderation-approved': moderated('approved'),
    'wh-moderation-disapproved': moderated('disapproved'),
    'wh-moderation-blocked': moderated('blocked'),
    'wh-moderation-manual': async world => {
      world.emulator.switches.injectedExtensions = ['link-preview']
      const group = { ...toTwo, receiver: GROUP, receiverType: 'group', muid: '_of6zl8yky' }
      const { id } = await post(world, { ...group, data: { text: 'Check out', resource: 'WEB-4_1_10' } })
      world.emulator.moderate(String(id), 'approved')
      return read(world, id)
    },
    'legacy-after-message': posted(text),
    'ios-id-number': async world => {
      world.emulator.switches.ids = 'number'
      return post(world, text)
    },
    'ios-media': posted({ ...toTwo, type: 'image', data: { url: attachment.url, attachments: [attachment] } }),
    'ios-form': posted({
      ...toTwo,
      category: 'interactive',
      type: 'form',
      data: { interactiveData: { title: 'T', formFields: [] } }
    }),
    'ios-card': posted({
      ...toTwo,
      category: 'card',
      type: 'card',
      data: { text: 'p', card: { version: '1.0' }, fallbackText: 'f' }
    }),
    'sdk-quoted': posted({ ...text, quotedMessageId: 1 }),
    'sdk-thread-subscribed': async world => {
      world.emulator.switches.threadSubscribedInAnswers = true
      return reply(world, text)
    },
    'multi-uids-ok': received(['bob', 'carol']),
    'multi-uids-bare': received(['bob', 'carol'], { multipleReceivers: 'per-receiver-bare' }),
    'multi-uids-partly': received(['bob', 'nobody']),
    'multi-uids-all-failed': received(['nobody'])
  },
  threads: {
    'oas2026-get-messages-id-thread': listed,
    'oas2023-get-messages-id-thread': listed
  }
}

const NOT_CLAIMED: Readonly<Record<string, string>> = {
  'oas2026-delete-messages-id': 'the page repeats the answer of PUT; the webhook has the answer of a deletion',
  'oas2023-delete-messages-id': 'the page repeats the answer of PUT; the webhook has the answer of a deletion',
  'oas2023-post-groups-guid-members-nested-7': 'members of groups leave no message here',
  'oas2023-post-groups-guid-members-nested-8': 'members of groups leave no message here',
  'oas2023-post-groups-guid-members-nested-9': 'members of groups leave no message here',
  'oas2023-post-groups-guid-members-nested-10': 'members of groups leave no message here',
  'oas2023-get-conversations-nested-19': 'members of groups leave no message here',
  'oas2023-get-users-uid-conversation-nested-20': 'members of groups leave no message here',
  'oas2023-get-users-uid-messages-0': 'there are no calls',
  'oas2023-get-users-uid-messages-1': 'there are no calls',
  'wh-call-initiated': 'there are no calls',
  'rn2019-50': 'version 1 of the API, with receipts',
  'rn2019-51-receipts': 'version 1 of the API, with receipts',
  'rn2019-56-blank-text': 'version 1 of the API, with receipts',
  'sdk-reactions': 'there are no reactions'
}

/** What is not kept of users and groups. */
const NOT_KEPT = /\.entity\.(lastActiveAt|updatedAt|description|icon|scope|joinedAt|onlineMembersCount) /
/** What recordings that were rebuilt or shortened leave out, and the real one has in others. */
const LEFT_OUT =
  /^data\.entities\.for[ .]|(^|\.)(updatedAt number|parentId (string|number)|devMessage string|source string)|\.entity\.(avatar|createdAt) |mentions\.[^ ]*\.\w+ /

/** Recordings that were rebuilt leave `entities` out as a whole. */
function isLeftOut(path: string, recorded: readonly string[]): boolean {
  const above = [...path.matchAll(/\bentities(?=[ .])/g)].map(({ index }) => `${path.slice(0, index)}entities object`)
  return LEFT_OUT.test(path) || above.some(entities => !recorded.includes(entities))
}

async function startWorld(t: Test): Promise<World> {
  let nowMs = 1_696_934_912_000
  const emulator = await startEmulator(t, { now: () => nowMs, firstMessageId: '2' })
  for (const uid of [ONE, TWO]) {
    emulator.addUser({ uid, avatar: `https://assets.cometchat.io/sampleapp/v2/users/${uid}.webp` })
  }
  emulator.addGroup({ guid: GROUP, members: [ONE, TWO] })
  emulator.addMessage({ id: '1', sender: ONE, receiver: TWO, receiverType: 'user' })
  return {
    emulator,
    pass: ms => {
      nowMs += ms
    }
  }
}

for (const folder of ['responses', 'threads'] as const satisfies readonly RecordingFolder[]) {
  for (const [name, produce] of Object.entries(PRODUCED[folder])) {
    t.test(`${name} is made in the shape that was recorded`, async t => {
      const recorded = shapeOf(recording(folder, name))
      const produced = shapeOf(await produce(await startWorld(t)))

      const missing = recorded.filter(path => !produced.includes(path) && !NOT_KEPT.test(path))
      const made = produced.filter(path => !recorded.includes(path) && !isLeftOut(path, recorded))
      t.strictSame({ missing, made }, { missing: [], made: [] })
      t.ok(recorded.length > 5, 'the recording holds something')
    })
  }

  t.test(`every file of ${folder} is made, or it is said why not`, t => {
    const known = [...Object.keys(PRODUCED[folder]), ...(folder === 'responses' ? Object.keys(NOT_CLAIMED) : [])]
    t.strictSame(known.sort(), recordingNames(folder).sort())
    t.end()
  })
}

t.test('a difference in shape is seen', t => {
  t.strictSame(shapeOf({ a: [{ b: 1 }, { b: null }], c: '' }), [
    'a list',
    'a[] object',
    'a[].b number',
    'a[].b null',
    'c string'
  ])
  t.end()
})
