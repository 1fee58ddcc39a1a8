// The document tells kinds of messages apart, the service a schema from rules: both must say the same of a body.
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createReservedMembers } from '../../src/http/guard/reserved-members.ts'
import { createStrictCompiler } from '../../src/http/guard/strict-schemas.ts'
import { MAX_TEXT_CHARACTERS } from '../../src/routes/openapi/reply-kinds.ts'
import { ReplyBody, ReplyEdit } from '../../src/routes/replies-schemas.ts'
import { editViolations, lengthViolations, ruleViolations } from '../../src/routes/reply-rules.ts'
import { replyBody } from '../../src/upstream/requests.ts'
import { recording, recordingNames } from '../emulator/recordings.ts'
import { seedOf } from '../helpers/seed.ts'
import { createJudge } from './ajv.ts'
import { readDocument } from './files.ts'

const judge = createJudge(readDocument())
const seed = seedOf(t)
const compile = createStrictCompiler()
const route = { method: 'POST', url: '/', httpPart: 'body' }
const [isBody, isEdit] = [compile({ ...route, schema: ReplyBody }), compile({ ...route, schema: ReplyEdit })]
const reserved = createReservedMembers(['bffDelivery'])
const LIMITS = { multipleReceiversMax: 1000, categories: ['message', 'custom', 'interactive', 'card'] }

function serviceTakes(body: unknown): boolean {
  const given = structuredClone(body) as ReplyBody
  if (reserved(given).length > 0 || isBody(given) !== true) return false
  return [...ruleViolations(given, LIMITS), ...lengthViolations(given, Number.POSITIVE_INFINITY)].length === 0
}
function serviceTakesEdit(body: unknown): boolean {
  const given = structuredClone(body) as ReplyEdit
  return reserved(given).length === 0 && isEdit(given) === true && editViolations(given).length === 0
}
const documentTakes = (body: unknown): boolean => judge('/components/schemas/ReplyInput', body) === undefined
const documentTakesEdit = (body: unknown): boolean => judge('/components/schemas/EditInput', body) === undefined

t.test('of every recorded body they say the same', async t => {
  const verdicts = new Set<boolean>()
  for (const name of recordingNames('requests')) {
    const body = recording('requests', name)
    t.equal(documentTakes(body), serviceTakes(body), name)
    verdicts.add(serviceTakes(body))
  }
  t.equal(verdicts.size, 2, 'some are taken, some are not')
})

const words = fc.constantFrom('', 'x', 'hello <@uid:bob>')
const object = fc.constantFrom<unknown>({}, { a: 1 }, [], null)
const url = fc.constantFrom<unknown>('', 'https://a.test/x', 'http://a.test/x', 'https://a.test/a b', 7)
const file = fc.record(
  {
    url,
    name: fc.constantFrom('', 'a.png'),
    mimeType: fc.constantFrom('image/png', '', 'png'),
    size: fc.constantFrom<unknown>(1, '1', -1, 'x')
  },
  { requiredKeys: ['url'] }
)
const data = fc.record(
  {
    text: words,
    attachments: fc.oneof(fc.array(file, { maxLength: 2 }), fc.constant('x')),
    url,
    customData: object,
    interactiveData: object,
    card: object,
    fallbackText: words,
    metadata: object,
    more: fc.constant(1),
    reactions: fc.constant([])
  },
  { requiredKeys: [] }
)
const tags = fc.constantFrom<unknown>([], ['a'], [''], 'a')
const body = fc.record(
  {
    receiver: fc.constantFrom('bob', ''),
    receiverType: fc.constantFrom('user', 'group', 'bot'),
    category: fc.constantFrom('message', 'custom', 'interactive', 'card', 'call'),
    type: fc.constantFrom('text', 'image', 'poll', ''),
    data,
    tags,
    multipleReceivers: fc.constantFrom<unknown>({ uids: ['carol'] }, {}, { guids: 'team' }),
    quotedMessageId: fc.constantFrom<unknown>(1, '1', '01', 1.5),
    muid: fc.constantFrom('m', ''),
    more: fc.constant(1)
  },
  { requiredKeys: [] }
)

/** Most random bodies are wrong: one that is right in all but a few members says more. */
const nearlyRight = (right: readonly Readonly<Record<string, unknown>>[], beside: fc.Arbitrary<object>) =>
  fc
    .tuple(
      fc.constantFrom(...right),
      beside,
      fc.dictionary(
        fc.constantFrom('text', 'url', 'customData', 'more', 'metadata'),
        fc.constantFrom<unknown>('x', '', { a: 1 }),
        { maxKeys: 1 }
      )
    )
    .map(([right, beside, below]) => ({ ...right, ...beside, data: { ...Object(right['data']), ...below } }))

const nearlyRightBody = nearlyRight(
  [
    { data: { text: 'x' } },
    { type: 'image', data: { attachments: [{ url: 'https://a.test/x', name: 'x' }] } },
    { type: 'file', data: { url: 'https://a.test/x' } },
    { category: 'custom', data: { customData: { a: 1 } } },
    { category: 'interactive', data: { interactiveData: { a: 1 } } },
    { category: 'card', data: { fallbackText: '' } },
    { category: 'card', data: { card: { a: 1 } } }
  ],
  fc.record(
    { receiver: fc.constant('bob'), receiverType: fc.constant('user'), type: fc.constantFrom('text', 'audio') },
    { requiredKeys: [] }
  )
)
const nearlyRightEdit = nearlyRight(
  [
    { tags: ['a'] },
    { data: { text: 'x' } },
    { data: { attachments: [{ url: 'https://a.test/x', name: 'x' }] } },
    { data: { url: 'https://a.test/x' } },
    { data: { customData: { a: 1 } } }
  ],
  fc.record({ tags }, { requiredKeys: [] })
)

t.test('of every body they say the same', async t => {
  sayTheSame(t, fc.oneof(nearlyRightBody, body), [serviceTakes, documentTakes])
})

t.test('of every edit they say the same', async t => {
  const edit = fc.record({ data, tags, receiver: fc.constant('bob') }, { requiredKeys: [] })
  sayTheSame(t, fc.oneof(nearlyRightEdit, edit), [serviceTakesEdit, documentTakesEdit])
})

t.test('what an input has left is what the service takes, with the longest that is added', async t => {
  const { max, added } = Object(readDocument().components.schemas['ReplyInput'])['x-message-characters']
  const left = (given: object): number => max - added - [...JSON.stringify(given)].length
  t.equal(left({ data: { text: 'x'.repeat(MAX_TEXT_CHARACTERS) } }), 0)

  for (const letter of ['x', '"', '😀', '\n']) {
    let text = ''
    for (const step of [30_000, 3000, 300, 30, 3, 1])
      while (left({ data: { text: text + letter.repeat(step) } }) >= 0) text += letter.repeat(step)
    const full = { data: { text } }
    t.ok(serviceTakes(full), `${text.length} of ${JSON.stringify(letter)}`)
    const message = { category: 'message', type: 'text', ...full }
    const receiver = { receiver: 'r'.repeat(100), receiverType: 'group' } as const
    const reply = { parentId: '1', uid: 'alice' as never, message, marker: 'm'.repeat(40) }
    t.doesNotThrow(() => replyBody(reply, receiver), 'and CometChat, with the receiver and the mark')
    t.notOk(serviceTakes({ data: { text: text + letter.repeat(added) } }), 'a text that is longer by that is refused')
  }
})

t.test('every message that was recorded is one of its messages', async t => {
  const messages: unknown[] = []
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if ('id' in value && 'sender' in value && typeof value.sender === 'string') messages.push(value)
    for (const part of Object.values(value)) collect(part)
  }
  for (const folder of ['responses', 'threads'] as const)
    for (const name of recordingNames(folder)) collect(recording(folder, name))

  t.ok(messages.length > 50, `${messages.length}`)
  for (const message of messages) t.equal(judge('/components/schemas/Message', message), undefined)
})

type Verdict = (body: unknown) => boolean

/** Of all these bodies, of which enough are taken and enough refused. */
function sayTheSame(
  t: Test,
  bodies: fc.Arbitrary<unknown>,
  [serviceSays, documentSays]: readonly [Verdict, Verdict]
): void {
  const verdicts = { taken: 0, refused: 0 }
  fc.assert(
    fc.property(bodies, given => {
      const isTaken = serviceSays(given)
      verdicts[isTaken ? 'taken' : 'refused']++
      return documentSays(given) === isTaken
    }),
    { seed, numRuns: 3000 }
  )
  t.ok(verdicts.taken > 300 && verdicts.refused > 300, JSON.stringify(verdicts))
}
