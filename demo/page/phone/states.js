// What a person is told of a reply, in a word or two, and what they can do about it.
import { explain } from '/client/index.js'
import { el, svg } from '../dom.js'

const RING = 2 * Math.PI * 6

export function stateOf(reply, view) {
  const { key, state } = reply
  const { retry, discard, edit } = view
  const again = { name: 'Try again', act: () => retry(key) }
  const drop = { name: 'Discard', act: () => discard(key) }
  switch (state.is) {
    case 'queued':
      return { tone: 'calm', note: QUEUED[state.because], actions: state.because === 'no-owner' ? [again, drop] : [] }
    case 'sending':
      return { tone: 'calm', note: 'Sending' }
    case 'waiting':
      return { tone: 'calm', note: countdown('Waiting', state.until) }
    case 'unconfirmed':
      return state.until === undefined
        ? { tone: 'doubt', note: 'It may have been sent', actions: [again, drop] }
        : { tone: 'doubt', note: ring(state.until) }
    case 'signed-out':
      return { tone: 'doubt', note: 'Waiting for you to sign in' }
    case 'sent':
      return {
        tone: 'sent',
        note: SENT[state.moderation] ?? 'Sent',
        ...(state.moderation in SENT && { tone: 'doubt' })
      }
    default:
      return failed(reply, { again, drop, change: { name: 'Edit', act: () => edit(reply) } })
  }
}

const QUEUED = {
  offline: 'Queued until you are online',
  'earlier-first': 'Queued behind an earlier one',
  'no-owner': 'Queued: whose is it?'
}
const SENT = {
  pending: 'Sent, being moderated',
  disapproved: 'Taken back by moderation',
  blocked: 'Taken back by moderation'
}

function failed({ state, isStraight }, { again, drop, change }) {
  if (isStraight) return { tone: 'failed', note: 'Not sent', actions: [again, drop] }
  const { text, whose } = explain(state.problem)
  // Another text mends what is the person's to mend, and nothing else.
  return { tone: 'failed', note: text, actions: state.canEdit && whose === 'user' ? [change, drop] : [again, drop] }
}

/** Seconds that count down by themselves. */
function countdown(word, until) {
  const note = el('span', { data: { said: `${word}${until}` } })
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000))
    note.textContent = `${word} ${seconds} s`
    if (seconds > 0) setTimeout(tick, 250)
  }
  tick()
  return note
}

/** A ring that is full when it is looked at again. */
function ring(until) {
  const leftMs = Math.max(0, until - Date.now())
  const arc = svg('circle', { class: 'arc', cx: 8, cy: 8, r: 6, 'stroke-dasharray': RING })
  arc.animate([{ strokeDashoffset: RING }, { strokeDashoffset: 0 }], { duration: Math.max(1, leftMs), fill: 'both' })
  const picture = svg(
    'svg',
    { viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    svg('circle', { cx: 8, cy: 8, r: 6 }),
    arc
  )
  return el('span', { class: 'ring', data: { said: `Unconfirmed${until}` } }, picture, 'Unconfirmed, looking')
}
