// The count: what was pressed, what CometChat holds, and what is wrong between the two.
import { el } from '../dom.js'

const WHOLE = 'Every press is there, once.'
let shown = ''

/** @param {Element} place */
export function showLedger(place, { service, straight }) {
  const said = JSON.stringify([service, straight])
  if (said === shown) return
  shown = said
  place.replaceChildren(account('Through the service', service))
  if (straight.pressed > 0) place.append(account('Straight to CometChat', straight))
}

function account(title, balance) {
  const said = sentence(balance)
  const isWrong = balance.doubled + balance.lost + balance.mistold > 0
  return el(
    'div',
    {
      class: 'account',
      data: { wrong: isWrong ? 'yes' : 'no', pressed: balance.pressed, whole: said === WHOLE ? 'yes' : 'no' }
    },
    el('h3', {}, title),
    el(
      'dl',
      {},
      figure('Pressed', balance.pressed),
      figure('CometChat holds', balance.holds),
      figure('Doubled', balance.doubled, balance.doubled > 0),
      figure('Lost', balance.lost, balance.lost > 0)
    ),
    el('p', { class: 'balance', role: 'status' }, said)
  )
}

function figure(name, count, isWrong = false) {
  return el(
    'div',
    { class: 'figure', data: { wrong: isWrong ? 'yes' : 'no' } },
    el('dt', {}, name),
    el('dd', {}, String(count))
  )
}

/** In words, so that it can be heard, and tells the whole of it. */
export function sentence({ pressed, underWay, refused, mistold, doubled, lost }) {
  if (pressed === 0) return 'Nothing was pressed yet.'
  const parts = [
    underWay > 0 && `${underWay} under way`,
    refused > 0 && `${refused} refused, and said so`,
    mistold > 0 && `${mistold} called failed, though CometChat has ${mistold === 1 ? 'it' : 'them'}`,
    doubled > 0 && `${doubled} doubled`,
    lost > 0 && `${lost} lost`
  ].filter(Boolean)
  return parts.length === 0 ? WHOLE : `${parts.join(' · ')}.`
}
