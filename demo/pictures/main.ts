// `npm run pictures`: writes the pictures of the README anew.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { startParts } from '../world/parts.ts'
import { takePictures } from './take.ts'

const FOLDER = fileURLToPath(new URL('../../docs/', import.meta.url))
const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const START_WITHIN_MS = 60_000

await using stack = new AsyncDisposableStack()
const parts = await startParts(stack, 0, AbortSignal.timeout(START_WITHIN_MS))
const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-gpu'] })
stack.defer(() => browser.close())
const page = await browser.newPage()
await page.goto(parts.page.url)
for (const { scheme, png } of await takePictures(page)) {
  await writeFile(`${FOLDER}demo-${scheme}.png`, png)
  process.stdout.write(`docs/demo-${scheme}.png\n`)
}
