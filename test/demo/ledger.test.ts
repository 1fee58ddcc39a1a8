import t from 'tap'
import { createLedger } from '../../demo/server/ledger.ts'
import type { PostedMessage } from '../../emulator/types.ts'

const held = (...ids: string[]) => ids.map(muid => ({ message: { muid } }) as PostedMessage)
const NONE = { pressed: 0, holds: 0, doubled: 0, lost: 0, mistold: 0, refused: 0, underWay: 0 }

for (const [title, posted, told, balance] of [
  ['a reply that is there and shown as sent', held('a'), 'sent', { pressed: 1, holds: 1 }],
  ['one that is on its way', [], 'under-way', { pressed: 1, underWay: 1 }],
  ['one that is there before its phone knows', held('a'), 'under-way', { pressed: 1, holds: 1, underWay: 1 }],
  ['one that is there twice', held('a', 'a'), 'sent', { pressed: 1, holds: 2, doubled: 1 }],
  ['one that is shown as sent and is not there', [], 'sent', { pressed: 1, lost: 1 }],
  ['one that is refused', [], 'failed', { pressed: 1, refused: 1 }],
  ['one that is called failed and is there', held('a'), 'failed', { pressed: 1, holds: 1, mistold: 1 }],
  ['what nobody pressed', held('other'), 'sent', { pressed: 1, lost: 1 }]
] as const) {
  t.test(`${title} is counted`, async t => {
    const ledger = createLedger(() => posted)
    ledger.press('a', 'service')
    ledger.tell('a', told)
    ledger.tell('unknown', 'failed')

    t.strictSame(ledger.balances(), { service: { ...NONE, ...balance }, straight: NONE })
  })
}

t.test('the two ways are counted apart', async t => {
  const ledger = createLedger(() => held('a', 'b', 'b'))
  ledger.press('a', 'service')
  ledger.press('b', 'straight')
  for (const id of ['a', 'b']) ledger.tell(id, 'sent')

  t.match(ledger.balances(), { service: { holds: 1, doubled: 0 }, straight: { holds: 2, doubled: 1 } })
})
