// Looks for a text in everything that this demo has sent to a browser. The secrets stay at the server, which looks.
import { ask, el } from '../dom.js'

/** @param {Element} place */
export function showFinder(place, { secrets }) {
  const result = el('p', { class: 'found', role: 'status' })
  const field = el('input', {
    id: 'find-text',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'or any text, such as alice'
  })

  async function find(query, what) {
    const found = await ask(`/received?${query}`)
    if (!found) return
    const { hits, answers, bytes, fingerprint } = found
    const name = fingerprint ? `${what} (${fingerprint})` : `“${what}”`
    result.dataset.hits = hits > 0 && fingerprint ? 'bad' : 'good'
    result.replaceChildren(
      el('strong', {}, `${hits} ${hits === 1 ? 'hit' : 'hits'}`),
      ` for ${name} in ${answers} answers, ${size(bytes)}: headers and bodies, plain, hex, base64 and percent-encoded.`
    )
  }

  const buttons = secrets.map(name =>
    el(
      'button',
      { type: 'button', class: 'chip', onclick: () => void find(new URLSearchParams({ secret: name }), name) },
      `Find ${name}`
    )
  )
  const form = el(
    'form',
    { class: 'find' },
    el('label', { class: 'unseen', for: 'find-text' }, 'Text to find'),
    field,
    el('button', {}, 'Find')
  )
  form.addEventListener('submit', event => {
    event.preventDefault()
    if (field.value) void find(new URLSearchParams({ text: field.value }), field.value)
  })
  place.append(el('div', { class: 'chips' }, ...buttons), form, result)
  void find(new URLSearchParams({ secret: secrets[0] }), secrets[0])
}

const size = bytes => (bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`)
