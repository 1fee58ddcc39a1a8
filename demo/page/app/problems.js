// What an app meets for each of the buttons. The whole list is docs/problems.md.
import { el } from '../dom.js'

const ROWS = [
  ['Post it, answer 500', 'upstream-error', 'unknown', 'with its key', 'Unconfirmed, found in the thread, sent'],
  ['Post it, hang up', 'upstream-reset', 'unknown', 'with its key', 'Unconfirmed, found in the thread, sent'],
  ['Hang up first', 'upstream-reset', 'unknown', 'with its key', 'Unconfirmed until it is proved absent, then sent'],
  ['kill -9 the service', 'no answer', 'unknown', 'with its key', 'Unconfirmed, found by the next process, sent'],
  ['429 for 5 s', 'rate-limited', 'not-sent', 'after retryAfterMs', 'Waiting, then sent'],
  ['Take 3 s', '201', 'sent', 'no', 'Sending, then sent'],
  ['Block Bob', 'rejected-by-cometchat', 'not-sent', 'no', 'Failed, with edit and discard'],
  ['Moderate', '201', 'sent', 'no', 'Sent, then taken back'],
  ['Revoke the key', 'upstream-credentials', 'not-sent', 'no', 'Failed: an operator has to act'],
  ['Expire the token', 'unauthenticated', 'not-sent', 'after a new token', 'Renewed once, sent'],
  ['Double click', '201', 'sent', 'no', 'One bubble, one message'],
  ['Offline', 'no request', 'not-sent', 'when online', 'Queued, then sent']
]

export function problemTable() {
  const head = ['You press', 'The service answers', 'delivery', 'again?', 'The client shows']
  return el(
    'div',
    { class: 'code' },
    el('p', { class: 'hint' }, 'Every refusal is application/problem+json and says whether the reply exists.'),
    el(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Problems by button' },
      el(
        'table',
        {},
        el('thead', {}, el('tr', {}, ...head.map(name => el('th', { scope: 'col' }, name)))),
        el('tbody', {}, ...ROWS.map(row))
      )
    )
  )
}

const row = ([press, code, ...rest]) =>
  el(
    'tr',
    {},
    el('th', { scope: 'row' }, press),
    el('td', {}, el('code', {}, code)),
    ...rest.map(text => el('td', {}, text))
  )
