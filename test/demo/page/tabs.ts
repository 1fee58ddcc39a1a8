// The code to take along: what its tabs show, with a mouse, with the keys, and with the clipboard.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import type { OpenDemo } from './open-demo.ts'

export function tabsShowCode(t: Test, { context, page, parts }: OpenDemo): void {
  const tab = (name: string) => page.getByRole('tab', { name, exact: true })
  const isChosen = (name: string) => page.locator('[role=tab][aria-selected=true]:focus', { hasText: name }).waitFor()

  t.test('the curl of its tab posts a reply, with the token that stands in it', async t => {
    await page.getByRole('tab', { name: 'curl' }).click()
    const code = page.getByLabel('curl, code')
    await code.getByText('idempotency-key').waitFor()

    const { stdout } = await promisify(execFile)('bash', ['-c', (await code.textContent()) ?? ''])

    t.match(stdout, /^HTTP\/1\.1 201 [\s\S]*"sender":"alice"/)
  })

  t.test('Copy puts the code of the tab on the clipboard, and says so for a moment', async t => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(parts.page.url).origin })
    await tab('fetch').click()
    const code = page.getByLabel('fetch, code')
    await code.waitFor()

    await page.getByRole('button', { name: 'Copy', exact: true }).click()

    await page.getByRole('button', { name: 'Copied', exact: true }).waitFor()
    t.equal(await page.evaluate('navigator.clipboard.readText()'), await code.textContent())
    t.match(await code.textContent(), /await fetch\('http/)
    await page.getByRole('button', { name: 'Copy', exact: true }).waitFor()
  })

  t.test('the arrow keys go from tab to tab, round at both ends', async () => {
    await tab('Client').click()
    await page.getByLabel('Client, code').waitFor()

    await page.keyboard.press('ArrowLeft')
    await isChosen('Problems')
    await page.getByRole('tabpanel', { name: 'Problems' }).getByRole('table').waitFor()
    await page.keyboard.press('ArrowLeft')
    await isChosen('Types')
    for (const name of ['Problems', 'Client', 'React']) {
      await page.keyboard.press('ArrowRight')
      await isChosen(name)
    }
    await page.getByRole('tabpanel', { name: 'React' }).getByLabel('React, code').waitFor()
  })

  t.test('a tab whose token comes late does not take the place of one that was chosen after it', async t => {
    const { promise: late, resolve: comes } = Promise.withResolvers<void>()
    await page.route('**/phones/alice/token', async route => {
      await late
      await route.continue()
    })
    await tab('Kotlin').focus()
    const answered = page.waitForResponse('**/phones/alice/token')
    await tab('Kotlin').click()
    await page.keyboard.press('ArrowRight')
    await isChosen('Types')
    await page.getByLabel('Types, code').waitFor()

    comes()
    await (await answered).finished()
    await page.unrouteAll({ behavior: 'wait' })

    t.equal(await page.locator('[role=tab][aria-selected=true]').textContent(), 'Types')
    t.ok(await page.getByRole('tabpanel', { name: 'Types' }).getByLabel('Types, code').isVisible())
  })
}
