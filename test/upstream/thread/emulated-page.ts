// The emulator's own paging, without the wire.
import type { Switches } from '../../../emulator/switches.ts'
import { cutPage, pageMeta, readPageRequest } from '../../../emulator/thread-pages.ts'
import type { StoredMessage } from '../../../emulator/types.ts'
import type { ThreadCursor, ThreadPlace } from '../../../src/upstream/thread/page.ts'
import { readNext } from '../../../src/upstream/thread/read-page.ts'

interface Listed {
  readonly id: string
  readonly sentAtMs: number
  isHidden?: boolean
}

/** What a CometChat with these switches shows at a place of a thread, oldest first, and where it says that it goes on. */
export function emulatedPage<Entry extends Listed>(
  entries: readonly Entry[],
  place: ThreadPlace,
  switches: Switches
): { readonly shown: readonly Entry[]; readonly next: ThreadCursor | undefined } {
  const asked = readPageRequest(queryOf(place), switches)
  const byId = new Map(entries.map(entry => [entry.id, entry]))
  const stored = entries.map(({ id, sentAtMs }) => ({ id, sentAtMs }) as StoredMessage)
  const page = cutPage(stored, asked, ({ id }) => !byId.get(id)?.isHidden, switches)
  const shown = page.replies.map(({ id }) => byId.get(id)).filter(entry => entry !== undefined)
  return { shown, next: readNext({ meta: pageMeta(page, asked, switches) }) }
}

function queryOf({ page, size, cursor }: ThreadPlace): URLSearchParams {
  const query = new URLSearchParams({ perPage: `${size}`, page: `${page}` })
  for (const [name, value] of Object.entries(cursor ?? {})) query.set(name, `${value}`)
  return query
}
