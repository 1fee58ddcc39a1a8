import { readFileSync } from 'node:fs'

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')

function wordsIn(document: string, begin: string, end: string): string[] {
  const rows =
    document
      .split(begin)[1]
      ?.split(end)[0]
      ?.match(/^\| `[^|]*/gm) ?? []
  return rows.flatMap(row => Array.from(row.matchAll(/`([a-z0-9-]+)`/g), ([, word = '']) => word))
}

/** What docs/logs.md and docs/authentication.md explain; the open ones by their beginning. */
const EXPLAINED = new Set([
  ...wordsIn(read('logs.md'), '## Why a request was refused', '\n## '),
  ...wordsIn(read('authentication.md'), '### Why a credential was refused', '\nWhere the keys')
])
const OPEN = /^(keys-status-\d{3}|session-store-[a-z]+)$/

/** Whether the line of a refused request says why, in a word that the documents explain; true for any other line. */
export function isExplained({ msg, code, reason }: { readonly [field: string]: unknown }): boolean {
  if (msg !== 'request' || code === undefined) return true
  return typeof reason === 'string' && (reason === code || EXPLAINED.has(reason) || OPEN.test(reason))
}
