import t from 'tap'
import { needsChromium } from '../../helpers/chromium.ts'
import { runClientStorm } from './run-client-storm.ts'

const seed = Number(process.env['STORM_SEED'] ?? 20_261_129)

t.setTimeout(200_000)

t.test('tabs in a storm double no reply, lose none, and post none under another name', needsChromium(), async t => {
  t.comment(`STORM_SEED=${seed}`)
  const facts = await runClientStorm({ replies: 80, seed })
  t.comment(JSON.stringify(facts))
  t.match(facts, { replies: 80, posts: 80, doubled: 0, lost: 0, underAnotherName: 0 })
  t.same(facts.toldWrongly, [])
  t.ok(facts.reloads > 0 && facts.signIns > 0 && facts.kills > 0)
  t.ok(facts.bySession > 0 && facts.bySession < 80, 'by token and by session')
})
