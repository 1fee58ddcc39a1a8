// Runs the test files of its arguments one after the other in this process, and ends each with a line that says what it
// counted: what tap and the modules cost to load is paid once. Its tests have the process for themselves while they run;
// what a file leaves to the end (`t.teardown` of the file itself) comes when all have run.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const files = process.argv.slice(2)
// tap names its directories by the arguments; the first is enough to tell two of these processes apart.
process.argv.splice(3)
// Every file adds its own.
process.setMaxListeners(0)
const { default: t } = await import('tap')

let before = { ...t.counts }
for (const [index, file] of files.entries()) {
  const startedAtMs = performance.now()
  try {
    await import(pathToFileURL(resolve(file)).href)
  } catch (error) {
    t.fail(`${file} cannot be loaded`, { error })
  }
  // tap runs the tests of a process in order: those of the file have run when this one's turn has come.
  await t.test('the end of the file', async () => undefined)
  const after = { ...t.counts }
  const counts = {
    // The end of the file before it is counted by now, its own is not.
    pass: after.pass - before.pass - Math.min(index, 1),
    fail: after.fail - before.fail,
    skip: after.skip - before.skip
  }
  t.comment(`end of ${file} after ${Math.ceil(performance.now() - startedAtMs)} ms { ${describe(counts)} }`)
  before = after
}

function describe(counts: object): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ')
}
