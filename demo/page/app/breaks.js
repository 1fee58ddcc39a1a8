// The buttons. Each makes its trouble, and has a phone send a reply into it.
import { ask, el } from '../dom.js'

const GROUPS = [
  {
    title: 'The answer never comes',
    buttons: [
      { name: 'commit-then-500', label: 'Post it, answer 500' },
      { name: 'reset-after-commit', label: 'Post it, hang up' },
      { name: 'reset-before', label: 'Hang up first' },
      { name: 'kill', label: 'kill -9 the service', phone: 'bob' }
    ]
  },
  {
    title: 'CometChat is slow, or says no',
    buttons: [
      { name: 'too-many', label: '429 for 5 s' },
      { name: 'slow', label: 'Take 3 s' },
      { name: 'block', label: 'Block Bob', off: 'Unblock Bob', phone: 'bob' },
      { name: 'moderate', label: 'Moderate', off: 'Stop moderating' }
    ]
  },
  {
    title: 'Somebody’s credential ends',
    buttons: [
      { name: 'revoke', label: 'Revoke the key', off: 'Give the key back' },
      { name: 'expire', label: 'Expire the token' }
    ]
  }
]

const LINES = {
  alice: [
    'Friday works for me.',
    'I will bring the notes.',
    'Shall I tell the others?',
    'Done, have a look.',
    'One more thing.'
  ],
  bob: ['Good, Friday it is.', 'Thank you!', 'I am looking now.']
}

/** A little more than the moderation of the local CometChat takes. */
const VERDICT_AFTER_MS = 4000

/** @param {Element} place */
export function showBreaks(place, say) {
  const toggles = new Map()
  const said = { alice: 0, bob: 0 }

  async function press({ name, phone = 'alice' }) {
    const wasOn = toggles.get(name)?.element.dataset.on === 'yes'
    await ask(`/break/${name}`, {})
    if (name === 'expire') say({ kind: 'expired' })
    // What is mended needs no reply: whoever waits for it tries again.
    if (wasOn) return
    // A webhook of CometChat would tell an app of the verdict.
    if (name === 'moderate') setTimeout(() => say({ kind: 'changed' }), VERDICT_AFTER_MS)
    say({ kind: 'send', phone, text: LINES[phone][said[phone]++ % LINES[phone].length] })
  }

  function button(facts) {
    const element = el(
      'button',
      { class: 'trouble', data: { name: facts.name }, onclick: () => void press(facts) },
      facts.label
    )
    if (facts.off) toggles.set(facts.name, { ...facts, element })
    return element
  }

  for (const { title, buttons } of GROUPS) {
    place.append(
      el(
        'div',
        { class: 'troubles', role: 'group', 'aria-label': title },
        el('h3', {}, title),
        el('div', {}, ...buttons.map(button))
      )
    )
  }
  place.append(straightSwitch())

  return {
    /** Which toggles are on, by name. */
    show(broken) {
      for (const [name, { element, label, off }] of toggles) {
        const isOn = broken[name] === true
        element.dataset.on = isOn ? 'yes' : 'no'
        element.textContent = isOn ? off : label
      }
    }
  }
}

/** The same, as it is without us. */
function straightSwitch() {
  const box = el('input', { type: 'checkbox', id: 'straight' })
  localStorage.removeItem('straight')
  box.addEventListener('change', () => localStorage.setItem('straight', box.checked ? 'yes' : 'no'))
  return el('label', { class: 'switch' }, box, ' Send the same straight to CometChat, without the service')
}
