// What a search for a lost reply costs, in requests, for each way in which CometChat may page: npm run -s search-cost
import { pathToFileURL } from 'node:url'
import { type Entry, PagedThread, type Paging, some } from './paged-thread.ts'

const WAYS: Readonly<Record<string, Paging>> = {
  'by page or cursor': {},
  'by cursor': { threadPaging: 'cursor' },
  'by page': { threadPaging: 'page' },
  'by page, at most 20': { threadPaging: 'page', threadPageMax: 20 },
  'by page, newest first': { threadPaging: 'page', threadOrder: 'newest-first' },
  'by cursor, newest first': { threadOrder: 'newest-first' },
  'cursors include their message': { threadCursor: 'inclusive' },
  'by cursor, `meta.next` always': { threadPaging: 'cursor', threadNext: 'always' },
  'by page, `meta.next` always': { threadPaging: 'page', threadNext: 'always' },
  'by page, `meta.next` never': { threadPaging: 'page', threadNext: 'never' },
  'page and cursor ignored': { threadPaging: 'ignored' }
}
const LENGTHS = [0, 3, 100, 2100] as const
const NOW_S = 1_700_000_000
const SOUGHT: Entry = { id: '90000', sentAt: NOW_S, isSought: true }

async function readsFor(entries: readonly Entry[], paging: Paging, wantsProof: boolean): Promise<string> {
  const thread = new PagedThread(entries, paging)
  const result = await thread.search({ sinceMs: NOW_S * 1000, wantsProof, ...(!wantsProof && { maxReads: 5 }) })
  return `${thread.reads}${result === 'unproven' && wantsProof ? ' (unknown)' : ''}`
}

/** A table in Markdown; the threads are older than the reply. */
export async function costTable(): Promise<string> {
  const heads = ['found', 'look', 'absent'].flatMap(what =>
    LENGTHS.map(length => `${what}, ${length.toLocaleString('en')}`)
  )
  const lines = [`| CometChat pages | ${heads.join(' | ')} |`, `| --- |${' --: |'.repeat(heads.length)}`]
  for (const [name, paging] of Object.entries(WAYS)) {
    const threads = LENGTHS.map(length => some(length, NOW_S - 3600))
    const cells = [
      ...threads.map(thread => readsFor([...thread, SOUGHT], paging, true)),
      ...threads.map(thread => readsFor(thread, paging, false)),
      ...threads.map(thread => readsFor(thread, paging, true))
    ]
    lines.push(`| ${name} | ${(await Promise.all(cells)).join(' | ')} |`)
  }
  return lines.join('\n')
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(`${await costTable()}\n`)
}
