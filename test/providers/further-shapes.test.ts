// Whoever distrusts the table: tokens in documented shapes that no look-alike has, judged with the settings of the table.
import t from 'tap'
import { startInternet } from '../helpers/internet.ts'
import { FURTHER_OF_ROWS } from './further/rows.ts'
import { STRANGERS } from './further/strangers.ts'
import { createStage, expectedUid } from './look-alike-service.ts'

const alikes = [...FURTHER_OF_ROWS, ...STRANGERS]
const tokens = alikes.flatMap(alike => alike.tokens)
const pages = alikes.flatMap(alike => Object.entries(alike.pages))
const internet = await startInternet(t, [...new Set(pages.map(([url]) => new URL(url).hostname))])
const stage = await createStage(t, [
  ...new Set(tokens.flatMap(({ uid }) => (uid === undefined ? [] : [expectedUid(uid)])))
])

for (const alike of alikes) {
  t.test(alike.provider, async t => {
    for (const [url, page] of Object.entries(alike.pages)) internet.publish(url, page)
    const outcomes = await stage.judge(t, alike)
    for (const [index, { title, uid, status, reason, token }] of alike.tokens.entries()) {
      const outcome = outcomes[index]
      if (uid === undefined) {
        t.match({ ...outcome, reason: outcome?.line?.['reason'] }, { status, reason, postedAs: [] }, title)
        t.notMatch(JSON.stringify(outcome?.line), token.slice(-30), 'nothing of it is in its line')
      } else t.match(outcome, { status: 201, postedAs: [expectedUid(uid)] }, title)
    }
  })
}

t.test('there are many of each', async t => {
  const count = (isValid: boolean): number => tokens.filter(({ uid }) => (uid !== undefined) === isValid).length
  t.comment(`${count(true)} valid tokens, ${count(false)} others`)
  t.ok(count(true) >= 30)
  t.ok(count(false) >= 20)
})
