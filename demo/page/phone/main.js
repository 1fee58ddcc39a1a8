// The app on one phone: a thread, a composer, and what becomes of each reply.
import { createThreadReplies } from '/client/index.js'
import { ask, byId } from '../dom.js'
import { talk } from '../talk.js'
import { showThread } from './bubbles.js'
import { createNetwork } from './network.js'
import { createStraight } from './straight.js'

const phone = location.pathname.split('/')[2]
const { run, thread, opening, names } = await ask('/facts')
const network = createNetwork(byId('offline'))
/** Called when the thread may have changed. */
const rings = new Set()
/** What the ledger was told last of each reply. */
const told = new Map()
let messages = []
let own = []
let editing
let token

// The client, as any app uses it.
const replies = createThreadReplies({
  url: `/phones/${phone}/api/${run}`,
  auth: {
    async bearer(refused) {
      if (!token || refused !== undefined) token = (await ask(`/phones/${phone}/token`, {}))?.token ?? ''
      return token
    }
  },
  fetch: network.fetch,
  live: (_threadId, ring) => {
    rings.add(ring)
    return () => rings.delete(ring)
  }
})
const straight = createStraight(phone, network.fetch, draw)
talk(message => {
  if (message.kind === 'send' && message.phone === phone) void send(message.text)
  if (message.kind === 'changed') for (const ring of rings) ring()
  if (message.kind === 'expired') token = undefined
})

replies.subscribe(thread, now => {
  for (const { body, state } of now) tell(body.muid, state.is)
  own = now
  // Signed out elsewhere: whoever reads that here needs the way to sign in.
  if (now.some(({ state }) => state.is === 'signed-out')) void showOwner()
  draw()
})
replies.watch(thread, newest => {
  messages = newest.messages
  draw()
})

/** The ledger compares what a phone shows with what CometChat holds. */
function tell(id, is) {
  const now = is === 'sent' || is === 'failed' ? is : 'under-way'
  if (!id || told.get(id) === now) return
  told.set(id, now)
  void ask(`/phones/${phone}/told`, { id, told: now })
}

/** One press of Send: one id and one key, however often it is clicked. */
async function send(text) {
  const id = `${phone}-${crypto.randomUUID()}`
  const isStraight = localStorage.getItem('straight') === 'yes'
  const clicks = byId('double').checked ? 2 : 1
  await ask(`/phones/${phone}/pressed`, { id, way: isStraight ? 'straight' : 'service' })
  for (let click = 0; click < clicks; click++) {
    if (isStraight) void straight.send(id, text)
    else replies.send(thread, { muid: id, data: { text } }, { key: id })
  }
}

byId('composer').addEventListener('submit', event => {
  event.preventDefault()
  const field = byId('text')
  const text = field.value.trim()
  if (!text) return
  field.value = ''
  if (editing) edit(text)
  else void send(text)
})

function edit(text) {
  const { key, body } = editing
  editing = undefined
  const id = `${phone}-${crypto.randomUUID()}`
  void ask(`/phones/${phone}/pressed`, { id, way: 'service' })
  replies.edit(key, { ...body, muid: id, data: { ...body.data, text } })
}

function draw() {
  showThread(byId('thread'), {
    phone,
    names,
    opening,
    messages,
    own: [...own, ...straight.replies()],
    retry: key => (straight.has(key) ? straight.retry(key) : replies.retry(key)),
    discard: key => (straight.has(key) ? straight.discard(key) : replies.discard(key)),
    edit(reply) {
      editing = reply
      byId('text').value = reply.body.data.text ?? ''
      byId('text').focus()
    }
  })
}

async function showOwner() {
  const { user } = (await ask(`/phones/${phone}/who`)) ?? {}
  const name = names[user ?? phone] ?? phone
  byId('owner').textContent = name
  byId('avatar').textContent = name.slice(0, 1)
  document.title = `${name}’s phone`
  byId('sign').hidden = Boolean(user)
  byId('sign').href = `/sign-in/${phone}`
  byId('sign-out').hidden = !user
  document.body.dataset.signedIn = user ? 'yes' : 'no'
}

byId('sign-out').addEventListener('click', async () => {
  await ask(`/phones/${phone}/sign-out`, {})
  token = undefined
  replies.signedIn()
  await showOwner()
})
byId('reload').addEventListener('click', () => location.reload())
addEventListener('pagehide', () => replies.close())

// It scrolls, so the keyboard has to reach it.
byId('scroll').tabIndex = 0
await showOwner()
draw()
document.body.dataset.ready = 'yes'
