import { readFileSync } from 'node:fs'
import t from 'tap'
import { costTable } from './search-cost.ts'

t.test('docs/delivery.md quotes what a search costs', async t => {
  const table = await costTable()
  t.ok(readFileSync('docs/delivery.md', 'utf8').includes(table), `npm run -s search-cost says\n${table}`)
})
