// docs/from-the-sdk.md, carried out: its table, and its code, on the bodies that the SDK made.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { recording } from '../../emulator/recordings.ts'
import { hostService } from '../../helpers/hosted-service.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'

type Body = Record<string, unknown>

const document = readFileSync(new URL('../../../docs/from-the-sdk.md', import.meta.url), 'utf8')
const bodies = Object.entries(recording('requests', 'sdk-4.2.0-bodies') as Record<string, Body>)
const rows = document
  .split('\n')
  .filter(line => line.startsWith('| `'))
  .map(line => line.split('|').map(cell => cell.trim()))
const named = (isLeftOut: boolean): string[] =>
  rows
    .filter(([, , todo]) => (todo === 'leave out') === isLeftOut)
    .flatMap(([, members = '']) => Array.from(members.matchAll(/`(\w+)`/g), ([, name = '']) => name))

const { emulator, env } = await startEmulator(t)
emulator.addMessage({ id: '100', sender: 'bob', receiver: 'alice', receiverType: 'user' })
emulator.addMessage({ id: '99', sender: 'bob', receiver: 'alice', receiverType: 'user' })
const service = await hostService(t, { ...env, COMETCHAT_CATEGORIES: 'message,custom,interactive' })

t.equal(bodies.length, 8)
for (const [name, body] of bodies) {
  const copies = Object.keys(body).filter(member => named(true).includes(member))

  t.test(`${name}: as the SDK writes it, it is refused, and says where each member belongs`, async t => {
    const answer = await postReply(service, { parentId: '100', body })

    t.equal(answer.status, 422)
    t.match(answer.json, { code: 'invalid-request', delivery: 'not-sent' })
    const errors: { pointer: string; detail: string }[] = answer.json.errors
    t.same(errors.map(({ pointer }) => pointer).sort(), copies.map(member => `/${member}`).sort())
    for (const { pointer, detail } of errors) t.match(detail, /^It belongs (below|into|to) \S/, pointer)
  })

  t.test(`${name}: cut by the table it passes, and arrives as it was cut`, async t => {
    const cut = Object.fromEntries(Object.entries(body).filter(([member]) => !copies.includes(member)))

    const answer = await postReply(service, { parentId: String(body['parentMessageId']), body: cut })

    t.equal(answer.status, 201, answer.text)
    const { data, ...rest } = JSON.parse(emulator.requests.at(-1)?.body ?? '{}')
    const { bffDelivery, ...metadata } = data.metadata
    const { url, metadata: sent = {}, ...sentData } = (cut['data'] ?? {}) as Body
    t.same(
      { ...rest, data: { ...data, metadata } },
      { ...cut, data: { ...sentData, metadata: sent, ...(url !== '' && url !== undefined && { url }) } }
    )
  })
}

t.test('every member that the SDK writes beside data has a row', async t => {
  const members = new Set(bodies.flatMap(([, body]) => Object.keys(body)))

  t.same(
    [...members].filter(member => !named(true).includes(member) && !named(false).includes(member)),
    []
  )
})

t.test('the code of the document does the same', async t => {
  const code = /```js\n([\s\S]*?)```/.exec(document)?.[1] ?? ''
  const module = await import(`data:text/javascript,${encodeURIComponent(`export ${code}`)}`)
  for (const [name, body] of bodies) {
    const { path, body: made } = module.replyFrom(body)

    t.equal(path, '/threads/100/replies')
    t.same(
      Object.keys(made).filter(member => !named(false).includes(member)),
      [],
      name
    )
    t.equal((await postReply(service, { parentId: '100', body: made })).status, 201, name)
  }
})
