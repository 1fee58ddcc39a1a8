// Whether a message of a thread says what a reply says, whatever CometChat has added to it.
import t from 'tap'
import type { JsonObject } from '../../../src/lib/json.ts'
import { hasContentOf } from '../../../src/upstream/thread/message-content.ts'

const SENT = { category: 'message', type: 'text', data: { text: 'hi', customData: { b: 1, a: [2] } } }
const listed = (data: JsonObject, more: JsonObject = {}): JsonObject => ({
  ...SENT,
  data: { ...SENT.data, ...data },
  ...more
})

t.test('what CometChat adds, and how it orders members, makes no other message', async t => {
  t.ok(hasContentOf(listed({ entities: {}, metadata: { x: 1 }, customData: { a: [2], b: 1 } }), SENT))
  t.ok(hasContentOf(listed({ card: null, fallbackText: undefined, attachments: 'none' }), SENT), 'nothing is nothing')
})

t.test('another category, type or content is another message', async t => {
  const others = [
    listed({}, { category: 'custom' }),
    listed({}, { type: 'image' }),
    listed({}, { data: 'hi' }),
    listed({ text: 'hi!' }),
    listed({ text: null }),
    listed({ customData: { b: 1 } }),
    listed({ interactiveData: {} }),
    listed({ card: {} }),
    listed({ fallbackText: 'x' }),
    listed({ attachments: [{ name: 'a.png' }] })
  ]
  for (const message of others) t.notOk(hasContentOf(message, SENT), JSON.stringify(message))
})

t.test('attachments are alike by their number and names, for their addresses are signed anew', async t => {
  const sent = {
    ...SENT,
    data: { attachments: [{ name: 'a.png', url: 'https://one.test' }, { url: 'https://two.test' }] }
  }
  const has = (attachments: unknown): boolean => hasContentOf({ ...SENT, data: { attachments } }, sent)
  t.ok(has([{ name: 'a.png', url: 'https://cdn.test?signed' }, {}]))
  t.ok(has([{ name: 'a.png' }, 'a text']), 'what is no object has no name')
  for (const others of [[{ name: 'a.png' }], [{ name: 'b.png' }, {}], [{}, { name: 'a.png' }], [], undefined]) {
    t.notOk(has(others), JSON.stringify(others))
  }
})
