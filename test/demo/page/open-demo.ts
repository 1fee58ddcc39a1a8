// The demo in this process, and a real browser in front of it.
import type { BrowserContext, FrameLocator, Locator, Page } from 'playwright-core'
import type { Test } from 'tap'
import { startParts } from '../../../demo/world/parts.ts'
import { launchChromium } from '../../helpers/chromium.ts'
import { until } from '../../helpers/until.ts'

const VIEWPORT = { width: 1280, height: 900 }

export interface Figures {
  readonly Pressed: number
  readonly 'CometChat holds': number
  readonly Doubled: number
  readonly Lost: number
}

export interface OpenDemo {
  readonly context: BrowserContext
  readonly page: Page
  readonly alice: FrameLocator
  readonly bob: FrameLocator
  readonly parts: Awaited<ReturnType<typeof startParts>>
  /** What the browser said is wrong: errors of scripts, and whatever the policy of the page forbids. */
  readonly complaints: readonly string[]
  /** Everything the browser received, as far as the browser tells it. */
  readonly received: () => string
  /** Resolves when an account shows these numbers, and this sentence under them. */
  waitForBalance(figures: Figures, sentence: string, account?: string): Promise<void>
  press(label: string): Promise<void>
}

export async function openDemo(t: Test): Promise<OpenDemo> {
  const stack = new AsyncDisposableStack()
  t.teardown(() => stack.disposeAsync())
  const parts = await startParts(stack, 0, AbortSignal.timeout(90_000))
  const context = await launchChromium(t)
  const complaints: string[] = []
  const bodies: string[] = []
  context.on('response', response => {
    const isEndless = response.url().endsWith('/events')
    const keep = (part: unknown) => void bodies.push(JSON.stringify(part))
    response.allHeaders().then(keep, () => undefined)
    if (!isEndless)
      response.text().then(
        text => void bodies.push(text),
        () => undefined
      )
  })
  const page = context.pages()[0] ?? (await context.newPage())
  await page.setViewportSize(VIEWPORT)
  page.on('console', message => {
    // A refusal that the page was to meet is told by Chromium as a failed resource.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text())
  })
  page.on('pageerror', error => void complaints.push(String(error)))
  await page.goto(parts.page.url)
  const alice = page.frameLocator('iframe[title="Alice’s phone"]')
  const bob = page.frameLocator('iframe[title="Bob’s phone"]')
  await Promise.all([page, alice, bob].map(place => place.locator('body[data-ready="yes"]').waitFor()))

  return {
    context,
    page,
    alice,
    bob,
    parts,
    complaints,
    received: () => bodies.join('\n'),
    async waitForBalance(wanted, sentence, account = 'Through the service') {
      const shown = page.locator('.account', { has: page.getByRole('heading', { name: account }) })
      const said = `${Object.entries(wanted).map(([name, count]) => `${count} ${name}`)}. ${sentence}`
      await until(
        () => textOf(shown),
        now => now === said
      )
    },
    press: label => page.getByRole('button', { name: label, exact: true }).click()
  }
}

/** An account as one text: its numbers by their names, and its sentence. */
async function textOf(account: Locator): Promise<string> {
  const [names, counts, said] = await Promise.all([
    account.locator('dt').allTextContents(),
    account.locator('dd').allTextContents(),
    account.locator('.balance').allTextContents()
  ])
  return `${names.map((name, index) => `${counts[index]} ${name}`)}. ${said}`
}

/** Types a reply into a phone and presses Send. */
export async function send(phone: FrameLocator, text: string): Promise<void> {
  await phone.getByLabel('Reply').fill(text)
  await phone.getByRole('button', { name: 'Send' }).click()
}

/** What the phone says of its newest own reply. */
export const lastNote = (phone: FrameLocator) => phone.locator('.own').last().locator('.note')
