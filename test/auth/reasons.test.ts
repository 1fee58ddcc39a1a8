import { readFileSync } from 'node:fs'
import t from 'tap'
import { CREDENTIAL_REASONS } from '../../src/auth/reasons.ts'

const document = readFileSync(new URL('../../docs/authentication.md', import.meta.url), 'utf8')

t.test('docs/authentication.md explains every reason, and no other', async t => {
  const table = document.split('### Why a credential was refused')[1]?.split('\nWhere the keys')[0] ?? ''
  const rows = table.split('\n').filter(line => line.startsWith('| `'))
  const explained = rows.flatMap(row =>
    Array.from((row.split('|')[1] ?? '').matchAll(/`([a-z-]+)`/g), ([, word]) => word)
  )

  t.strictSame(explained.sort(), [...CREDENTIAL_REASONS].sort())
})
