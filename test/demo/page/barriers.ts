// What axe-core finds on a page and in its frames.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Frame, Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Result {
  readonly violations: readonly {
    readonly id: string
    readonly help: string
    readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[]
  }[]
}

/** One line for each barrier: the rule, and where. */
export async function barriersOn(page: Page): Promise<readonly string[]> {
  const found = await Promise.all(page.frames().map(frame => inFrame(frame)))
  return found.flat()
}

async function inFrame(frame: Frame): Promise<readonly string[]> {
  // Evaluated by the debugger, to which the policy of the page does not apply.
  await frame.evaluate(AXE)
  const run = 'axe.run(document, { iframes: false, preload: false, resultTypes: ["violations"] })'
  const { violations } = (await frame.evaluate(run)) as Result
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${id} (${help}) at ${frame.url()} ${target.join(' ')}: ${failureSummary}`
    )
  )
}
