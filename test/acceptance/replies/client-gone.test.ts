// Clients that do not wait for their answer: what had begun is finished and kept for them, what had not is not begun.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { isReplayed, startKeyedReplies, withText } from '../../helpers/keyed-replies.ts'
import { connectRaw, requestBytes } from '../../helpers/raw-http.ts'
import { tokenFor } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'

const { emulator, service, send, newKey, posts, parentId } = await startKeyedReplies(t, {
  QUIET_PERIOD_MS: '200',
  REPLY_DEADLINE_MS: '5000'
})
/** Long enough for a busy machine to do meanwhile what a test does meanwhile, and within the deadline. */
const LONG_MS = 2000
const isPost = (line: Record<string, unknown>): boolean => line['method'] === 'POST'

for (const ending of ['FIN', 'RST'] as const) {
  t.test(
    `a client that leaves with a ${ending} once its reply was sent gets the answer when it comes back`,
    async t => {
      const key = newKey()
      emulator.failNext({ kind: 'delay', delayMs: LONG_MS }, { method: 'POST' })
      const client = await ask(t, key, ending)
      await until(() => posts(ending).length === 1)
      if (ending === 'RST') client.socket.resetAndDestroy()
      else client.socket.destroy()
      const early = await send(key, withText(ending))
      await until(() => service.logLines().filter(isPost).length > 0)
      const late = await comeBack(key, ending)

      t.equal(early.status, 409)
      t.same([late.status, isReplayed(late)], [201, true])
      t.equal(late.json.data.id, posts(ending)[0]?.id)
      t.equal(posts(ending).length, 1)
    }
  )
}

for (const ending of ['FIN', 'RST'] as const) {
  t.test(`a client that leaves with a ${ending} before anything was sent leaves nothing behind`, async t => {
    const key = newKey()
    const text = `changed my mind: ${ending}`
    const { id: thread } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
    emulator.failNext({ kind: 'delay', delayMs: LONG_MS }, { method: 'GET' })
    const [before, linesBefore] = [emulator.requests.length, service.logLines().length]
    const client = await ask(t, key, text, thread)
    await until(() => emulator.requests.length > before)
    // On a busy machine a FIN that comes sooner is read together with the request, as one right behind it.
    await sleep(50)
    if (ending === 'RST') client.socket.resetAndDestroy()
    else client.socket.destroy()
    await once(client.socket, 'close')
    await until(() =>
      service
        .logLines()
        .slice(linesBefore)
        .some(({ code }) => code === 'client-closed')
    )

    t.equal(posts(text).length, 0)
    const again = await send(key, { parentId: thread, ...withText(text) })
    t.same([again.status, isReplayed(again)], [201, false])
    t.equal(posts(text).length, 1)
  })
}

t.test('a client that leaves while its lost reply is looked for changes nothing about it', async t => {
  const key = newKey()
  emulator.failNext({ kind: 'reset', commit: true }, { method: 'POST' })
  await send(key, withText('looked for'))
  emulator.failNext({ kind: 'delay', delayMs: 300 }, { method: 'GET' })
  const before = emulator.requests.length
  const client = await ask(t, key, 'looked for')
  await until(() => emulator.requests.length > before)
  client.socket.destroy()
  const again = await comeBack(key, 'looked for')

  t.same([again.status, isReplayed(again)], [201, true])
  t.equal(posts('looked for').length, 1)
})

async function ask(t: Parameters<typeof connectRaw>[0], key: string, text: string, thread = parentId) {
  const client = await connectRaw(t, service.url)
  const headers = {
    authorization: `Bearer ${await tokenFor('alice')}`,
    'content-type': 'application/json',
    'idempotency-key': key
  }
  client.send(requestBytes(`POST /threads/${thread}/replies`, headers, JSON.stringify({ data: { text } })))
  return client
}

async function comeBack(key: string, text: string) {
  for (;;) {
    const answer = await send(key, withText(text))
    if (answer.status !== 409) return answer
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
