import { globSync, readFileSync } from 'node:fs'
import t from 'tap'

const root = new URL('..', import.meta.url).pathname
const checklist = readFileSync(`${root}docs/browser-apps-checklist.md`, 'utf8')
const files = globSync(`${root}test/**/*.test.ts`).map(path => ({ path, text: readFileSync(path, 'utf8') }))

/** The checklist names a file by the end of its path. */
function holds(file: string, title: string): boolean {
  return files.some(({ path, text }) => path.endsWith(`/${file}`) && text.includes(title))
}

t.test('every test that the RFC 10017 checklist names exists under that title', async t => {
  const named = Array.from(checklist.matchAll(/`([\w/-]+\.test\.ts)`: "([^"]+)"/g), ([, file = '', title = '']) => [
    file,
    title
  ])

  t.ok(named.length > 30)
  for (const [file = '', title = ''] of named) t.ok(holds(file, title), `${file}: ${title}`)
})

t.test('every row of it says what shows it, or why it does not apply', async t => {
  const rows = checklist.split('\n').filter(line => /^\| [\d.]+ /.test(line))

  for (const row of rows)
    t.match(row, /\.test\.ts`: "|[Nn]ot (applicable|used|done)|there are none|worthless|cannot/, row.slice(0, 60))
})
