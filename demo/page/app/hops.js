// One row a hop, newest trip first. A row opens to what was sent and what came back.
import { el, svg } from '../dom.js'

const MOST_TRIPS = 40
const X = { browser: 6, backend: 42, service: 42, CometChat: 78 }

export function createHops(list, empty, reads) {
  const rows = new Map()
  const trips = new Map()

  const count = () => {
    list.classList.toggle('with-reads', reads.checked)
    empty.hidden = [...trips.values()].some(({ dataset }) => reads.checked || dataset.read === 'no')
  }
  reads.addEventListener('change', count)

  function tripOf({ trip, phone, isRead }) {
    const known = trips.get(trip)
    if (known) return known
    const hops = el('ol', {})
    const item = el('li', { class: 'trip', data: { read: isRead ? 'yes' : 'no' } }, hops)
    item.setAttribute('aria-label', phone ? `${phone}’s phone` : 'from the terminal')
    list.prepend(item)
    trips.set(trip, item)
    if (trips.size > MOST_TRIPS) {
      // What only reads is the first to go.
      const all = [...trips]
      const [oldest, gone] = all.find(([, { dataset }]) => dataset.read === 'yes') ?? all[0]
      gone.remove()
      trips.delete(oldest)
    }
    return item
  }

  return {
    clear() {
      rows.clear()
      trips.clear()
      list.replaceChildren()
      count()
    },
    show(hop) {
      const row = rows.get(hop.id) ?? rowOf()
      if (!rows.has(hop.id)) {
        rows.set(hop.id, row)
        tripOf(hop).querySelector('ol').append(row.item)
      }
      row.fill(hop)
      count()
    }
  }
}

/** Filled again when the hop has ended; whether it is open stays. */
function rowOf() {
  const summary = el('summary', {})
  const details = el('details', {}, summary)
  const item = el('li', { class: 'hop' }, details)
  let hop
  const open = () => details.append(raw('Request', hop.request), raw('Answer', hop.answer || noAnswer(hop)))
  details.addEventListener('toggle', () => {
    for (const old of details.querySelectorAll('figure')) old.remove()
    if (details.open) open()
  })
  return {
    item,
    fill(now) {
      hop = now
      item.dataset.state = toneOf(hop)
      summary.replaceChildren(
        wire(hop),
        el('span', { class: 'unseen' }, `${hop.from} to ${hop.to}: `),
        el('code', { class: 'title' }, hop.title),
        el('span', { class: 'fault' }, hop.fault ? (FAULTS[hop.fault] ?? hop.fault) : ''),
        el('span', { class: 'status' }, statusOf(hop)),
        el('span', { class: 'took' }, hop.tookMs === undefined ? '' : `${hop.tookMs} ms`)
      )
      if (details.open) details.dispatchEvent(new Event('toggle'))
    }
  }
}

const FAULTS = {
  'server-error': 'posted, then',
  reset: 'posted, then',
  'reset-before-reading': 'not read',
  stall: 'posted, then',
  delay: 'late'
}

function statusOf({ state, status }) {
  if (state === 'running') return 'on its way'
  return state === 'lost' ? 'no answer' : String(status)
}

function toneOf({ state, status }) {
  if (state === 'running') return 'running'
  if (state === 'lost' || status >= 500) return 'broken'
  return status >= 400 ? 'refused' : 'good'
}

const noAnswer = ({ state, fault }) =>
  state === 'running' ? '(on its way)' : `(none: the connection ended${fault ? ` by ${fault}` : ''})`

function raw(title, text) {
  const code = el('pre', { tabindex: '0', 'aria-label': title }, el('code', {}, text))
  return el('figure', {}, el('figcaption', {}, title), code)
}

/** The three stations, and the stretch between two of them that this hop goes over. */
function wire({ from, to, state }) {
  const [start, end] = [X[from], X[to]]
  const middle = (start + end) / 2
  const isCut = state === 'lost'
  const lit = isCut
    ? [
        svg('path', { class: 'lit', d: `M${start} 8H${middle - 3}` }),
        svg('path', { class: 'cut', d: `M${middle - 2} 4l4 8` }),
        svg('path', { class: 'dim', d: `M${middle + 3} 8H${end}` })
      ]
    : [svg('path', { class: 'lit', d: `M${start} 8H${end}` })]
  const stations = [6, 42, 78].map(cx =>
    svg('circle', { class: cx === start || cx === end ? 'here' : 'there', cx, cy: 8, r: 4 })
  )
  return svg(
    'svg',
    { class: 'track', viewBox: '0 0 84 16', 'aria-hidden': 'true' },
    svg('path', { class: 'ground', d: 'M6 8H78' }),
    ...lit,
    ...stations
  )
}
