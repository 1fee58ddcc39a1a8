// The page of the demo, in a real browser, as somebody who tries it: every button is pressed, and the ledger is read.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { REPLIES_OF_SCENE, takePictures } from '../../../demo/pictures/take.ts'
import { needsChromium } from '../../helpers/chromium.ts'
import { until } from '../../helpers/until.ts'
import { barriersOn } from './barriers.ts'
import { distanceOf } from './compare.ts'
import { faultsOfLayout } from './layout.ts'
import { lastNote, openDemo, send } from './open-demo.ts'
import { secretsStayHidden } from './secrets.ts'
import { tabsShowCode } from './tabs.ts'

/** Of 255: letters that are smoothed otherwise stay below, a button or a bubble that stands elsewhere does not. */
const MOST_MEAN = 1
const MOST_OF_CELL = 40
const ALL_THERE = 'Every press is there, once.'

t.test('in Chromium', { ...needsChromium(), timeout: 240_000 }, async t => {
  const demo = await openDemo(t)
  const { page, alice, bob, parts } = demo
  const count = { pressed: 0, refused: 0, underWay: 0 }
  /** Waits until the ledger says that everything is as it should be: nothing doubled, nothing lost. */
  const settles = () => {
    const { pressed, refused, underWay } = count
    const parts = [underWay > 0 && `${underWay} under way`, refused > 0 && `${refused} refused, and said so`].filter(
      Boolean
    )
    const figures = { Pressed: pressed, 'CometChat holds': pressed - refused - underWay, Doubled: 0, Lost: 0 }
    return demo.waitForBalance(figures, parts.length > 0 ? `${parts.join(' · ')}.` : ALL_THERE)
  }

  t.test('both phones are signed in by the provider when the page opens', async t => {
    t.equal(await alice.getByRole('heading').textContent(), 'Alice')
    t.equal(await bob.getByRole('heading').textContent(), 'Bob')
    t.ok(await bob.getByRole('button', { name: 'Sign out' }).isVisible())
  })

  t.test('replies of both arrive, also one whose answer is lost; the pictures of the README show it so', async t => {
    const pictures = await takePictures(page)
    count.pressed += REPLIES_OF_SCENE

    await settles()
    t.match(parts.emulator.ledger, [{ onBehalfOf: 'alice' }, { onBehalfOf: 'bob' }, { onBehalfOf: 'alice' }])
    const blank = await demo.context.newPage()
    for (const { scheme, png } of pictures) {
      const shown = readFileSync(new URL(`../../../docs/demo-${scheme}.png`, import.meta.url))
      const distance = await distanceOf(blank, png, shown)
      t.comment(scheme, distance)
      t.ok(
        distance.isSameSize && distance.mean < MOST_MEAN && distance.most < MOST_OF_CELL,
        `npm run pictures (${scheme})`
      )
    }
    await blank.close()
  })

  t.test(
    'kill -9 the service, and while one phone waits for that 429 and a cut line at the other: all arrive once',
    async () => {
      await demo.press('kill -9 the service')
      await lastNote(bob).getByText('Unconfirmed, looking').waitFor()
      await until(async () => (await fetch(`${parts.adminUrl}/readyz`).catch(() => undefined))?.ok)
      await demo.press('429 for 5 s')
      await lastNote(alice)
        .getByText(/^Waiting \d s$/)
        .waitFor()
      await demo.press('Hang up first')
      await lastNote(alice).getByText('Queued behind an earlier one').waitFor()
      count.pressed += 3

      await settles()
    }
  )

  for (const label of ['Post it, hang up', 'Take 3 s', 'Expire the token']) {
    t.test(`${label}: the reply arrives once`, async () => {
      await demo.press(label)
      count.pressed += 1

      await settles()
    })
  }

  t.test('Block Bob: his reply is refused, is said to be, and can be changed or discarded', async t => {
    await demo.press('Block Bob')
    count.pressed += 1
    count.refused += 1
    await settles()
    t.match(await lastNote(bob).textContent(), 'This reply was not accepted.')

    await demo.press('Unblock Bob')
    await bob.getByRole('button', { name: 'Edit' }).click()
    await send(bob, 'Friends again?')
    count.pressed += 1

    await settles()
    await alice.locator('.other', { hasText: 'Friends again?' }).waitFor()
  })

  t.test('Revoke the key: it is no fault of the person, and once the key is back they try again', async t => {
    await demo.press('Revoke the key')
    count.pressed += 1
    count.refused += 1
    await settles()
    t.match(await lastNote(alice).textContent(), 'Chat is not available at the moment.')

    await demo.press('Give the key back')
    await alice.getByRole('button', { name: 'Try again' }).click()
    count.refused -= 1

    await settles()
  })

  t.test('Moderate: the reply is sent, and taken back by the verdict', async () => {
    await demo.press('Moderate')
    count.pressed += 1
    await settles()
    await lastNote(alice).getByText('Sent, being moderated').waitFor()
    await demo.press('Stop moderating')

    await lastNote(alice).getByText('Taken back by moderation').waitFor()
  })

  t.test('offline it is queued, and sent on coming back', async () => {
    await alice.getByLabel('Offline').check()
    await send(alice, 'In a tunnel.')
    count.pressed += 1
    await lastNote(alice).getByText('Queued until you are online').waitFor()

    await alice.getByLabel('Offline').uncheck()

    await settles()
  })

  t.test('a double click is one reply', async t => {
    await alice.getByLabel('Double click').check()
    await send(alice, 'Twice?')
    await alice.getByLabel('Double click').uncheck()
    count.pressed += 1

    await settles()
    t.equal(await alice.locator('.own', { hasText: 'Twice?' }).count(), 1)
  })

  t.test('a reply that is under way survives a reload', async () => {
    await demo.press('Post it, answer 500')
    count.pressed += 1
    await lastNote(alice).getByText('Unconfirmed, looking').waitFor()
    await alice.getByRole('button', { name: 'Reload' }).click()

    await settles()
    await alice.locator('.own').last().getByText('Sent').waitFor()
  })

  t.test('straight to CometChat the same breaks double', async () => {
    await page.getByLabel(/straight to CometChat/).check()

    for (const label of ['Post it, answer 500', 'Post it, hang up']) await demo.press(label)

    const doubled = { Pressed: 2, 'CometChat holds': 4, Doubled: 2, Lost: 0 }
    await demo.waitForBalance(doubled, '2 doubled.', 'Straight to CometChat')
    await page.getByLabel(/straight to CometChat/).uncheck()
    await settles()
  })

  tabsShowCode(t, demo)
  secretsStayHidden(t, demo)

  t.test('who was signed out in another window is told so at a reply, which is sent after the sign-in', async () => {
    const elsewhere = await demo.context.newPage()
    await elsewhere.goto(`${parts.page.url}phone/bob`)
    await elsewhere.getByRole('button', { name: 'Sign out' }).click()
    await elsewhere.getByRole('link', { name: 'Sign in' }).waitFor()
    await elsewhere.close()
    await demo.press('Expire the token')
    await send(bob, 'Who am I?')
    count.pressed += 2
    await lastNote(bob).getByText('Waiting for you to sign in', { exact: true }).waitFor()
    count.underWay += 1
    await settles()
    count.underWay -= 1

    await bob.getByRole('link', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Continue as Bob' }).click()

    await page.waitForURL(parts.page.url)
    await bob.getByRole('button', { name: 'Sign out' }).waitFor()
    await settles()
    await alice.locator('.other', { hasText: 'Who am I?' }).waitFor()
  })

  t.test('it has no barrier that axe-core finds, and fits, from a phone to a desk, light and dark', async t => {
    t.same(await faultsOfLayout(page), [])
    await page.goto(`${parts.page.url}sign-in/bob`)
    t.same(await barriersOn(page), [], 'nor has the page of the provider')
  })

  t.test('the browser had nothing to complain of', async t => {
    t.same(demo.complaints, [])
  })
})
