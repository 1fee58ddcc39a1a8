// The page of the demo, in a real browser, as somebody who tries it: every button is pressed, and the ledger is read.
import t from 'tap'
import { needsChromium } from '../../helpers/chromium.ts'
import { until } from '../../helpers/until.ts'
import { everythingSent } from './everything-sent.ts'
import { lastNote, openDemo, send } from './open-demo.ts'

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

  t.test('a reply that is sent from one phone appears on the other, and the ledger counts it', async t => {
    await send(alice, 'Yes, on Friday.')
    count.pressed += 1

    await settles()
    await bob.locator('.other', { hasText: 'Yes, on Friday.' }).waitFor()
    await lastNote(alice).getByText('Sent').waitFor()
    t.match(parts.emulator.ledger, [{ onBehalfOf: 'alice' }])
  })

  t.test('kill -9 the service: the reply that was under way arrives once', async () => {
    await demo.press('kill -9 the service')
    count.pressed += 1
    await lastNote(bob).getByText('Unconfirmed, looking').waitFor()
    await until(async () => (await fetch(`${parts.adminUrl}/readyz`).catch(() => undefined))?.ok)

    await settles()
  })

  for (const label of [
    'Post it, answer 500',
    'Post it, hang up',
    'Hang up first',
    '429 for 5 s',
    'Take 3 s',
    'Expire the token'
  ]) {
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

  t.test('a hop opens to the raw request and answer, with fingerprints in the place of secrets', async t => {
    const hopTo = (end: string) => page.locator('.trip[data-read="no"] .hop', { hasText: `${end}: ` }).last()
    await hopTo('service to CometChat').locator('summary').click()
    await hopTo('browser to service').locator('summary').click()

    const [toCometChat, toService] = [hopTo('service to CometChat'), hopTo('browser to service')]
    t.match(await toCometChat.getByLabel('Request').textContent(), /apikey: \(the key, sha256:[0-9a-f]{8}\)/i)
    t.match(await toCometChat.getByLabel('Answer').textContent(), /^HTTP\/1\.1 200\n/)
    t.match(
      await toService.getByLabel('Request').textContent(),
      /authorization: Bearer \(a token, sha256:[0-9a-f]{8}\)/i
    )
  })

  t.test('the box finds no secret, and finds what is there', async t => {
    const found = page.locator('.found')
    for (const name of Object.keys(parts.secrets)) {
      await demo.press(`Find ${name}`)
      await found.getByText(`for ${name} (sha256:`).waitFor()
      t.match(await found.textContent(), /^0 hits /, name)
    }

    await page.getByLabel('Text to find').fill('alice')
    await demo.press('Find')

    await found.getByText('“alice”').waitFor()
    t.match(await found.textContent(), /^[1-9]\d* hits /)
  })

  t.test('no secret is in anything that the browser received, shows or keeps', async t => {
    const all = await everythingSent(demo)

    t.match(all, 'Yes, on Friday.', 'what was sent is found')
    for (const [name, secret] of Object.entries(parts.secrets)) {
      t.ok(secret.length >= 32, name)
      t.notOk(all.includes(secret), name)
    }
  })

  t.test('who signs out meets the page of the provider, and comes back signed in', async () => {
    await bob.getByRole('button', { name: 'Sign out' }).click()
    await bob.getByRole('link', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Continue as Bob' }).click()

    await page.waitForURL(parts.page.url)
    await bob.getByRole('button', { name: 'Sign out' }).waitFor()
    await settles()
  })

  t.test('the browser had nothing to complain of', async t => {
    t.same(demo.complaints, [])
  })
})
