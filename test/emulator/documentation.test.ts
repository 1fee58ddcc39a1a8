import { readFileSync } from 'node:fs'
import t from 'tap'
import { FAULT_KINDS } from '../../emulator/faults.ts'
import { DEFAULT_SWITCHES } from '../../emulator/switches.ts'

const readme = readFileSync(new URL('../../emulator/README.md', import.meta.url), 'utf8')

/** The code spans in the first cell of each row below a heading. */
function firstCells(heading: string): string[] {
  const section = readme.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const rows = section.split('\n').filter(line => line.startsWith('| `'))
  return rows.flatMap(row => [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
}

t.test('the README names every switch, and no other', t => {
  t.strictSame(firstCells('Switches').sort(), Object.keys(DEFAULT_SWITCHES).sort())
  t.end()
})

t.test('the README names every kind of fault, and no other', t => {
  t.strictSame(firstCells('Faults').sort(), [...FAULT_KINDS].sort())
  t.end()
})
