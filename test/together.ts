// Runs the test files of its arguments one after the other in this process, and ends each with a line that says what it
// counted: what tap and the modules cost to load is paid once. A file has the process for itself while it runs, and what
// it leaves to its end (`t.teardown` outside of any test) is done before the next one begins.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cpuSeconds } from './cpu-seconds.ts'

const files = process.argv.slice(2)
// tap names its directories by the arguments; the first is enough to tell two of these processes apart.
process.argv.splice(3)
// Every file adds its own.
process.setMaxListeners(0)
const { default: t } = await import('tap')

// tap would wait with it until all files have run, and take the first moment without a test for that. How long a file may
// take is for a process that it has alone: here TAP_TIMEOUT says it.
const atEnd: (() => unknown)[] = []
Object.assign(t, { teardown: (end: () => unknown) => void atEnd.unshift(end), setTimeout: () => undefined })

let before = { ...t.counts }
let spentS = 0
for (const [index, file] of files.entries()) {
  const startedAtMs = performance.now()
  try {
    await import(pathToFileURL(resolve(file)).href)
  } catch (error) {
    t.fail(`${file} cannot be loaded`, { error })
  }
  // tap runs the tests of a process in order: those of the file have run when this one's turn has come.
  await t.test('the end of the file', async () => {
    for (const end of atEnd.splice(0)) await end()
  })
  const after = { ...t.counts }
  const counts = {
    // The end of the file before it is counted by now, its own is not.
    pass: after.pass - before.pass - Math.min(index, 1),
    fail: after.fail - before.fail,
    skip: after.skip - before.skip
  }
  const spentBeforeS = spentS
  spentS = cpuSeconds()
  const took = `${Math.ceil(performance.now() - startedAtMs)} ms, cpu=${(spentS - spentBeforeS).toFixed(1)}s`
  t.comment(`end of ${file} after ${took} { ${describe(counts)} }`)
  before = after
}

function describe(counts: object): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ')
}
