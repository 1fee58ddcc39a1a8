// The pictures of the README: one scene, played by pressing what a visitor would press, light and dark.
import type { BrowserContext, Page } from 'playwright-core'

export type Scheme = 'light' | 'dark'
export const SCHEMES: readonly Scheme[] = ['light', 'dark']

export interface Picture {
  readonly scheme: Scheme
  readonly png: Buffer
}

const SIZE = { width: 1280, height: 820 }
/** What differs from one run to the next, and is not what a picture shows. */
const VARYING: readonly (readonly [string, string])[] = [
  ['.took', '12 ms'],
  ['.found', '']
]

/** Plays the scene in a demo that has just begun, and takes a picture of it in both schemes. */
export async function takePictures(context: BrowserContext, url: string): Promise<readonly Picture[]> {
  const page = await context.newPage()
  await page.setViewportSize(SIZE)
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.goto(url)
  await playScene(page)
  const pictures: Picture[] = []
  for (const scheme of SCHEMES) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    pictures.push({ scheme, png: await page.screenshot({ animations: 'disabled', caret: 'hide' }) })
  }
  await page.close()
  return pictures
}

/** Two replies in peace, one whose answer was lost, and one that waits. */
async function playScene(page: Page): Promise<void> {
  const [alice, bob] = ['Alice', 'Bob'].map(name => page.frameLocator(`iframe[title="${name}’s phone"]`))
  if (!alice || !bob) return
  const say = async (phone: typeof alice, text: string) => {
    await phone.getByLabel('Reply').fill(text)
    await phone.getByRole('button', { name: 'Send' }).click()
    await phone.locator('.own', { hasText: text }).getByText('Sent', { exact: true }).waitFor()
  }
  for (const phone of [alice, bob]) await phone.locator('body[data-ready="yes"]').waitFor()
  await say(alice, 'Yes, on Friday.')
  await say(bob, 'Good. Who writes the notes?')
  await page.getByRole('button', { name: 'Post it, answer 500' }).click()
  await page.getByText('Every press is there, once.').waitFor()
  await alice.getByText('Good. Who writes the notes?').waitFor()
  await bob.getByText('Friday works for me.').waitFor()
  for (const [selector, text] of VARYING) {
    for (const element of await page.locator(selector).all())
      await element.evaluate((node, now) => (node.textContent = now), text)
  }
}
