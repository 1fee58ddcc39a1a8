// The page around the two phones: what is broken, what travels, and what the count is.
import { ask, byId } from '../dom.js'
import { talk } from '../talk.js'
import { showBreaks } from './breaks.js'
import { showFinder } from './finder.js'
import { createHops } from './hops.js'
import { showLedger } from './ledger.js'
import { showTabs } from './tabs.js'

const facts = await ask('/facts')
const say = talk(() => undefined)
const hops = createHops(byId('hops'), byId('no-hops'), byId('reads'))
const breaks = showBreaks(byId('breaks'), say)

const events = new EventSource('/events')
events.addEventListener('open', () => {
  hops.clear()
  document.body.dataset.live = 'yes'
})
// The demo was ended: what is shown is how it was.
events.addEventListener('error', () => {
  document.body.dataset.live = 'no'
})
events.addEventListener('hop', ({ data }) => {
  const hop = JSON.parse(data)
  hops.show(hop)
  if (hop.to === 'CometChat' && !hop.isRead && hop.state !== 'running') say({ kind: 'changed' })
})
events.addEventListener('overview', ({ data }) => {
  const { ledger, broken } = JSON.parse(data)
  showLedger(byId('ledger'), ledger)
  breaks.show(broken)
})

showFinder(byId('finder'), facts)
await showTabs(byId('tabs'), facts)
document.body.dataset.ready = 'yes'
