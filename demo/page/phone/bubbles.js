// The thread as a person sees it: what CometChat shows, then what is still on its way.
import { el } from '../dom.js'
import { stateOf } from './states.js'

/**
 * Draws the thread. A reply that CometChat shows is drawn once, with what this phone knows of it.
 * Elements stay where their text stays, so that a reader of the screen hears what is new alone.
 */
export function showThread(list, view) {
  const { phone, opening, messages, own } = view
  const shown = messages.filter(({ deletedAt, category }) => deletedAt === undefined && category !== 'action')
  const replyOf = ({ id, muid }) => own.find(({ body, state }) => state.id === String(id) || body.muid === muid)
  const listed = new Set(shown.map(replyOf))
  const rows = [
    row({ key: 'opening', isOwn: phone === 'bob', text: opening }),
    ...shown.map(message => messageRow(message, replyOf(message), view)),
    ...own
      .filter(reply => !listed.has(reply))
      .map(reply => row({ key: reply.key, isOwn: true, text: reply.body.data.text, ...stateOf(reply, view) }))
  ]
  place(list, rows)
}

/** What this phone knows of its own reply counts, until it knows that it is there. */
function messageRow({ id, sender, data = {} }, reply, view) {
  const isOwn = sender === view.phone
  const isSettled = reply === undefined || reply.state.is === 'sent'
  const moderation = data.moderation?.status ?? reply?.state.moderation
  const state = isSettled ? stateOf({ key: id, state: { is: 'sent', moderation } }, view) : stateOf(reply, view)
  return row({ key: String(id), isOwn, text: data.text ?? '', ...(isOwn && state) })
}

function row({ key, isOwn, text, tone, note, actions = [] }) {
  const buttons = actions.map(({ name, act }) => el('button', { class: 'link', onclick: act }, name))
  return el(
    'li',
    {
      class: isOwn ? 'own' : 'other',
      data: { key, tone: tone ?? '', said: `${text}|${textOf(note)}|${actions.length}` }
    },
    el('p', { class: 'bubble' }, text),
    note !== undefined && el('p', { class: 'note' }, note, ...buttons)
  )
}

const textOf = note => (typeof note === 'string' ? note : (note?.dataset.said ?? ''))

function place(list, rows) {
  const scroll = list.parentElement
  const isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80
  const before = new Map([...list.children].map(child => [child.dataset.key, child]))
  const now = rows.map(row => {
    const known = before.get(row.dataset.key)
    return known?.dataset.said === row.dataset.said ? known : row
  })
  if (now.length !== list.children.length || now.some((row, index) => row !== list.children[index])) {
    list.replaceChildren(...now)
  }
  if (isAtEnd) scroll.scrollTop = scroll.scrollHeight
}
