// The judge of a storm is right however late it reads: other people edit replies at any time.
import t from 'tap'
import { createCometChatEmulator } from '../../emulator/cometchat-emulator.ts'
import { Judge } from './judge.ts'
import { Meddlers } from './meddlers.ts'

/** The first thread, at once, its moderation, the first reply, by its author, an edit. */
const EDIT_AT_ONCE = [0, 0, 0, 0, 0.9, 0.9]

t.test('a reply that was edited before anybody asked for it is not lost', async t => {
  const emulator = createCometChatEmulator({ seed: 1 })
  const { url } = await emulator.start()
  t.teardown(() => emulator.stop())
  emulator.addUser({ uid: 'alice' })
  emulator.addUser({ uid: 'host' })
  const { id: parent } = emulator.addMessage({ sender: 'host', receiver: 'alice', receiverType: 'user', text: 'Hi' })
  const judge = new Judge(emulator)
  const dice = [...EDIT_AT_ONCE]
  const meddlers = new Meddlers({
    emulator,
    random: () => dice.shift() ?? 0,
    threads: [{ user: 'alice', parent }],
    moderated: 1,
    beforeEdit: () => judge.notePosts()
  })
  judge.begins('reply')
  const answer = await fetch(`${url}/v3/messages/${parent}/thread`, {
    method: 'POST',
    headers: { apikey: emulator.apiKey, onbehalfof: 'alice', 'content-type': 'application/json' },
    body: JSON.stringify({
      receiver: 'host',
      receiverType: 'user',
      category: 'message',
      type: 'text',
      data: { text: 'reply' }
    })
  })
  const { data } = (await answer.json()) as { data: { id: string } }
  meddlers.meddle()
  t.match(emulator.ledger[0]?.message.data, { text: 'edited' })

  judge.hears('reply', { delivery: 'sent', retryable: false, messageId: String(data.id) }, false)
  t.match(judge.score(), { posts: 1, sent: 1, lost: 0, doubled: 0 })
  t.same(judge.lies(), [])
})
