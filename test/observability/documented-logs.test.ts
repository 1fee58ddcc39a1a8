// docs/logs.md says what the log says: every field, every reason, every alarm and every event, and no other.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { REFUSAL_REASONS } from '../../src/lib/refusals/reasons.ts'
import { LogFields } from '../../src/observability/log-fields.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const document = read('docs/logs.md')
const events = read('src/observability/events.ts')

/** The words in the first cells of the table under a heading. */
function wordsUnder(heading: string): string[] {
  const section = document.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const cells = section.split('\n').flatMap(line => (line.startsWith('| `') ? [line.split(' | ')[0] ?? ''] : []))
  return cells.flatMap(cell => Array.from(cell.matchAll(/`([A-Za-z0-9_-]+)`/g), ([, word = '']) => word)).sort()
}

const quotedIn = (texts: Iterable<string>): string[] =>
  [
    ...new Set(Array.from(texts).flatMap(text => Array.from(text.matchAll(/'([a-z-]+)'/g), ([, word = '']) => word)))
  ].sort()

t.test('every field of the line of a request', async t => {
  const fields = Object.keys(new LogFields())
  t.ok(fields.length > 20)
  t.strictSame(wordsUnder('The line of a request'), fields.sort())
})

t.test('every reason that is not about a credential, and of the open ones an example', async t => {
  const open = ['keys-status-404', 'session-store-clusterdown']
  t.strictSame(wordsUnder('Why a request was refused'), [...REFUSAL_REASONS, ...open].sort())
})

t.test('every alarm', async t => {
  const told = Array.from(events.matchAll(/readonly alarm: ([^\n]+)/g), ([, union = '']) => union)
  const ofFiles = Array.from(read('src/observability/event-log.ts').matchAll(/alarm: '[a-z-]+'/g), ([text]) => text)
  t.ok(told.length > 4 && ofFiles.length > 1)
  t.strictSame(wordsUnder('Alarms'), quotedIn([...told, ...ofFiles]))
})

t.test('every event that is no alarm', async t => {
  const names = quotedIn(Array.from(events.matchAll(/readonly name: '[a-z-]+'/g), ([text]) => text))
  t.ok(names.length > 15)
  t.strictSame(
    wordsUnder('Other lines'),
    names.filter(name => name !== 'alarm')
  )
})
