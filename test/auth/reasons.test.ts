import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { CREDENTIAL_REASONS } from '../../src/lib/refusals/reasons.ts'

const document = readFileSync(new URL('../../docs/authentication.md', import.meta.url), 'utf8')

t.test('docs/authentication.md explains every reason, and no other', async t => {
  const table = document.split('### Why a credential was refused')[1]?.split('\nWhere the keys')[0] ?? ''
  const rows = table.split('\n').filter(line => line.startsWith('| `'))
  const explained = rows.flatMap(row =>
    Array.from((row.split('|')[1] ?? '').matchAll(/`([a-z-]+)`/g), ([, word]) => word)
  )

  t.strictSame(explained.sort(), [...CREDENTIAL_REASONS].sort())
})

t.test(
  'every other word for why nobody could tell is explained, too, and every one for why an instance is not ready',
  async t => {
    const inFiles = (folder: string, pattern: RegExp): string[] =>
      globSync('**/*.ts', { cwd: new URL(`../../src/${folder}/`, import.meta.url).pathname }).flatMap(path =>
        Array.from(
          readFileSync(new URL(`../../src/${folder}/${path}`, import.meta.url), 'utf8').matchAll(pattern),
          ([, word = '']) => word
        )
      )
    const outages = inFiles('auth', /(?:[uU]navailable\((?:[^()'"]*\? )?|reason: )'([a-z]+-[a-z-]+)'/g)
    t.ok(outages.includes('uid-owners') && outages.includes('introspection-busy') && outages.includes('uid-table'))
    for (const word of outages) t.match(document, `\`${word}\``)
    const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
    const unready = inFiles('.', /reason: '([a-z-]+)', isReady/g)
    t.ok(unready.includes('uid-owners') && unready.length >= 5)
    for (const word of unready) t.match(operations, `\`${word}\``, word)
  }
)
