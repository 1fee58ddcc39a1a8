// Code to copy, with the addresses and the token of this demo in it.
import { ask, el } from '../dom.js'
import { problemTable } from './problems.js'
import { snippets } from './snippets.js'

/** @param {Element} place */
export async function showTabs(place, facts) {
  const types = await fetch('/client/types.d.ts').then(answer => (answer.ok ? answer.text() : ''))
  const tabs = [
    ...snippets({ ...facts, token: '' }).map(({ name, note }, index) => ({
      name,
      // A token lasts ten minutes: each look has one that is good still.
      panel: async () => codePanel(name, note, snippets({ ...facts, token: await tokenNow() })[index].code)
    })),
    { name: 'Types', panel: () => codePanel('Types', 'What the client gives an app, as it is published.', types) },
    { name: 'Problems', panel: () => problemTable() }
  ]
  const buttons = tabs.map(({ name }, index) =>
    el('button', { role: 'tab', id: `tab-${index}`, 'aria-controls': 'panel', onclick: () => void choose(index) }, name)
  )
  const panel = el('div', { role: 'tabpanel', id: 'panel', tabindex: '0' })
  const row = el('div', { role: 'tablist', 'aria-labelledby': 'reference-title' }, ...buttons)

  let wanted = 0
  async function choose(index) {
    wanted = index
    const shown = await tabs[index].panel()
    // Its token came late, and another tab was chosen meanwhile.
    if (wanted !== index) return
    for (const [other, button] of buttons.entries()) {
      button.setAttribute('aria-selected', String(other === index))
      button.tabIndex = other === index ? 0 : -1
    }
    panel.setAttribute('aria-labelledby', `tab-${index}`)
    panel.replaceChildren(shown)
  }

  row.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length
    void choose(next)
    buttons[next].focus()
  })
  await choose(0)
  place.append(row, panel)
}

async function tokenNow() {
  const { token = 'SIGN-IN-FIRST' } = (await ask('/phones/alice/token', {})) ?? {}
  return token
}

function codePanel(name, note, code) {
  const copy = el('button', { class: 'copy' }, 'Copy')
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(code)
    copy.textContent = 'Copied'
    setTimeout(() => {
      copy.textContent = 'Copy'
    }, 1500)
  })
  const text = el('pre', { tabindex: '0', 'aria-label': `${name}, code` }, el('code', {}, code))
  return el('div', { class: 'code' }, el('p', { class: 'hint' }, note), copy, text)
}
