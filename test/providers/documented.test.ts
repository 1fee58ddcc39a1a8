// docs/authentication.md, "Your provider", and the look-alikes are one table: neither has a row that the other lacks.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { LOOK_ALIKES } from './look-alikes/all.ts'
import { betterAuthSettings } from './look-alikes/settings.ts'

const text = readFileSync(new URL('../../docs/authentication.md', import.meta.url), 'utf8')
const section = text.split('\n## Your provider\n')[1]?.split('\n## ')[0] ?? ''
const table = section.split('\n### ')[0] ?? ''
const tried = new Map([
  ...LOOK_ALIKES.map(({ provider, settings }) => [provider, settings] as const),
  ['Better Auth', betterAuthSettings('https://app.example.com')] as const
])

function cellsOf(row: string): string[] {
  return row
    .split(/(?<!\\)\|/)
    .map(cell => cell.trim().replaceAll('\\|', '|'))
    .slice(1, -1)
}

function settingsIn(cell: string): Record<string, string> {
  const lines = cell.split('<br>').map(line => line.slice(1, -1))
  return Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

const rows = table
  .split('\n')
  .filter(line => /^\| (?!provider|---)/.test(line))
  .map(cellsOf)

t.test('every provider of the table is tried, and every one that is tried is in the table', async t => {
  t.strictSame(rows.map(([provider]) => provider).sort(), [...tried.keys()].sort())
})

t.test('the settings of the table are those that are tried', async t => {
  for (const [provider = '', settings = ''] of rows) t.strictSame(settingsIn(settings), tried.get(provider), provider)
})

t.test('every row says which token is sent and what is refused', async t => {
  for (const cells of rows) t.ok(cells.length === 4 && cells.every(cell => cell !== ''), cells[0] ?? 'a row')
})

t.test('the issuer files of the document are those that are tried', async t => {
  const written = new Map(
    Array.from(section.matchAll(/<!-- issuers: (.+) -->\n```json\n([^`]+)```/g), ([, provider = '', json = '']) => [
      provider,
      JSON.parse(json)
    ])
  )
  const used = LOOK_ALIKES.filter(({ settings }) => 'AUTH_ISSUERS_FILE' in settings)

  t.ok(used.length > 0)
  t.equal(written.size, used.length)
  for (const { provider, files } of used)
    t.strictSame(written.get(provider), files?.['/run/config/issuers.json'], provider)
})
