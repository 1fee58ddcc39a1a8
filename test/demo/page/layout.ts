// The page at the widths of a phone, a tablet and a desk. Where it is only narrower, it has the same barriers.
import type { Page } from 'playwright-core'
import { barriersOn } from './barriers.ts'

const SIZES = [
  { width: 360, height: 760, schemes: ['light'] },
  { width: 768, height: 1024, schemes: [] },
  { width: 1280, height: 900, schemes: ['light', 'dark'] }
] as const

/** What is wrong with the page in each size and scheme; nothing, as it should be. */
export async function faultsOfLayout(page: Page): Promise<readonly string[]> {
  const faults: string[] = []
  for (const size of SIZES) {
    await page.setViewportSize({ width: size.width, height: size.height })
    for (const colorScheme of size.schemes) {
      await page.emulateMedia({ colorScheme })
      const name = `${size.width} px, ${colorScheme}`
      for (const barrier of await barriersOn(page)) faults.push(`${name}: ${barrier}`)
    }
    const tooWide = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
    if (Number(tooWide) > 0) faults.push(`${size.width} px: ${tooWide} px too wide`)
    const ledgerEnd = await page.evaluate("scrollY + document.querySelector('#ledger').getBoundingClientRect().bottom")
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
    const covered = await page.evaluate(`document.querySelector('.app').getBoundingClientRect().bottom -
      document.querySelector('.reference').getBoundingClientRect().top`)
    if (Number(covered) > 0) faults.push(`${size.width} px: the phones stand before ${covered} px of the code`)
    if (Number(ledgerEnd) > 2 * size.height) faults.push(`${size.width} px: the ledger ends at ${ledgerEnd} px`)
  }
  return faults
}
