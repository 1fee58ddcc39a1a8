// Each provider of docs/authentication.md with the settings of its row: its tokens get in, what looks like them does not.
import t, { type Test } from 'tap'
import { explanationText } from '../../src/parts/explain/command.ts'
import { explainToken } from '../../src/parts/explain/explain-token.ts'
import { startInternet } from '../helpers/internet.ts'
import type { LookAlike, LookAlikeToken, Verdict } from './look-alike.ts'
import { createStage, expectedUid, type Outcome } from './look-alike-service.ts'
import { LOOK_ALIKES } from './look-alikes/all.ts'

const tokens = LOOK_ALIKES.flatMap(alike => alike.tokens)
const uids = new Set(tokens.flatMap(({ uid }) => (uid === undefined ? [] : [expectedUid(uid)])))
const pages = LOOK_ALIKES.flatMap(alike => Object.entries(alike.pages))
const internet = await startInternet(t, [...new Set(pages.map(([url]) => new URL(url).hostname))])
const stage = await createStage(t, [...uids])
const score: Record<Verdict | 'reason', [right: number, all: number]> = {
  valid: [0, 0],
  'near-miss': [0, 0],
  doubtful: [0, 0],
  reason: [0, 0]
}

function count(name: keyof typeof score, isRight: boolean): void {
  score[name][1]++
  if (isRight) score[name][0]++
}

function countToken({ verdict, uid }: LookAlikeToken, { status, postedAs, line }: Outcome): void {
  const posted = postedAs.join()
  count(verdict, uid === undefined ? status >= 400 && posted === '' : status === 201 && posted === expectedUid(uid))
  if (verdict !== 'valid') count('reason', typeof line?.['reason'] === 'string')
}

/** What the explanation says of each token is what became of it, but for what lies in the request and not in the token. */
async function isExplained(t: Test, alike: LookAlike): Promise<void> {
  const config = stage.configOf(alike)
  for (const { title, token, uid, reason } of alike.tokens.filter(
    ({ reason = '' }) => !/^(csrf|credential)-/.test(reason)
  )) {
    const explanation = await explainToken(config, `Bearer ${token}\n`)
    const text = explanationText(explanation)
    t.equal(explanation.refusal?.reason, reason, `the explanation of: ${title}`)
    t.equal(explanation.uid, uid === undefined ? undefined : expectedUid(uid), title)
    t.match(text, reason ?? 'accepted', title)
    const failed = explanation.checks.filter(({ fits }) => !fits)
    t.equal(failed.length > 0, reason !== undefined, `${title}: ${failed.map(({ subject }) => subject).join()}`)
    for (const secret of [token, ...token.split('.').slice(2)].filter(({ length }) => length > 20))
      t.notMatch(text, secret)
  }
}

for (const alike of LOOK_ALIKES) {
  t.test(alike.provider, async t => {
    for (const [url, page] of Object.entries(alike.pages)) internet.publish(url, page)
    const outcomes = await stage.judge(t, alike)

    for (const [index, token] of alike.tokens.entries()) {
      const outcome = outcomes[index]
      if (!outcome) throw new Error('a token was not judged')
      countToken(token, outcome)
      const { status, postedAs, line } = outcome
      const name = `${token.verdict}: ${token.title}`
      if (token.uid !== undefined)
        t.match({ status, postedAs }, { status: 201, postedAs: [expectedUid(token.uid)] }, name)
      else
        t.match(
          { status, postedAs, reason: line?.['reason'] },
          { status: token.status, postedAs: [], reason: token.reason },
          name
        )
      const signature = token.token.split('.').at(-1) ?? ''
      if (signature.length > 20) t.notMatch(JSON.stringify(line), signature, 'its signature is in no line')
    }
    const [valid, others] = [alike.tokens.filter(({ uid }) => uid), alike.tokens.filter(({ uid }) => !uid)]
    t.ok(valid.length >= 1 && others.length >= 2, 'one valid token and two others at least')
    t.ok(alike.sources.length > 0, 'its documents are named')
    await isExplained(t, alike)
  })
}

t.test('the score', async t => {
  for (const [name, [right, all]] of Object.entries(score)) {
    t.comment(`${name}: ${right} of ${all}`)
    t.equal(right, all, name)
  }
})
