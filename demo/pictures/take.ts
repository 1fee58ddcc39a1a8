// The pictures of the README: one scene, played by pressing what a visitor would press, light and dark.
import type { FrameLocator, Page } from 'playwright-core'

export type Scheme = 'light' | 'dark'
export const SCHEMES: readonly Scheme[] = ['light', 'dark']

export interface Picture {
  readonly scheme: Scheme
  readonly png: Buffer
}

export const SIZE = { width: 1280, height: 900 }
/** How many replies the scene sends. */
export const REPLIES_OF_SCENE = 3

/** Plays the scene on the page of a demo that has just begun, and takes a picture of it in both schemes. */
export async function takePictures(page: Page): Promise<readonly Picture[]> {
  await page.setViewportSize(SIZE)
  await playScene(page)
  // How long a hop took differs from one run to the next, and is not what a picture shows.
  await page.evaluate("for (const took of document.querySelectorAll('.took')) took.textContent = '12 ms'")
  const pictures: Picture[] = []
  for (const scheme of SCHEMES) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    pictures.push({ scheme, png: await page.screenshot({ animations: 'disabled', caret: 'hide' }) })
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null })
  return pictures
}

/** Two replies in peace, and one whose answer was lost. */
async function playScene(page: Page): Promise<void> {
  const phoneOf = (name: string) => page.frameLocator(`iframe[title="${name}’s phone"]`)
  const [alice, bob] = [phoneOf('Alice'), phoneOf('Bob')]
  for (const phone of [alice, bob]) await phone.locator('body[data-ready="yes"]').waitFor()
  await say(alice, 'Yes, on Friday.')
  await bob.getByText('Yes, on Friday.').waitFor()
  await say(bob, 'Good. Who writes the notes?')
  await alice.getByText('Good. Who writes the notes?').waitFor()
  await page.getByRole('button', { name: 'Post it, answer 500' }).click()
  await alice.locator('.own', { hasText: 'Friday works for me.' }).getByText('Sent', { exact: true }).waitFor()
  await bob.getByText('Friday works for me.').waitFor()
  await page.getByText('Every press is there, once.').waitFor()
  // The pointer would leave a button lit.
  await page.mouse.move(0, 0)
}

async function say(phone: FrameLocator, text: string): Promise<void> {
  await phone.getByLabel('Reply').fill(text)
  await phone.getByRole('button', { name: 'Send' }).click()
  await phone.locator('.own', { hasText: text }).getByText('Sent', { exact: true }).waitFor()
}
