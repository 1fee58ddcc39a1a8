// How a thread is cut into pages. Pages or cursors, which end first, whether the end is told: nobody knows, so all of it
// is switched (docs/cometchat-facts.md §7.1).
import { badRequest } from './errors.ts'
import type { Switches } from './switches.ts'
import type { JsonObject, StoredMessage } from './types.ts'
import { seconds } from './wire-entities.ts'

const DEFAULT_PER_PAGE = 100
/** Documented for the other lists; nothing is said for this one. */
const MAX_PER_PAGE = 1000

/** `append` goes on to newer messages, `prepend` to older ones. */
type Affix = 'append' | 'prepend'

/** A place in the thread; where both are given, the id decides within the second. */
interface Cursor {
  readonly sentAt: number | null
  readonly id: bigint | null
}

export interface PageRequest {
  readonly perPage: number
  /** From 1; null where a cursor is used. */
  readonly page: number | null
  readonly affix: Affix
  readonly cursor: Cursor | null
}

export interface Page {
  readonly replies: readonly StoredMessage[]
  /** The reply from which the next page goes on; it may be a hidden one. */
  readonly last: StoredMessage | undefined
  readonly hasMore: boolean
}

function readCount(query: URLSearchParams, name: string, fallback: number, max = Number.MAX_SAFE_INTEGER): number {
  const text = query.get(name)
  if (text === null) return fallback
  const count = Number(text)
  if (/^[0-9]+$/.test(text) && count >= 1 && count <= max) return count
  throw badRequest({ [name]: [`The ${name} must be between 1 and ${max}.`] })
}

function readDigits(query: URLSearchParams, name: string): string | null {
  const text = query.get(name)
  if (text === null || /^[0-9]{1,19}$/.test(text)) return text
  throw badRequest({ [name]: [`The ${name} must be an integer.`] })
}

function readAffix(query: URLSearchParams, { threadOrder }: Switches): Affix {
  const affix = query.get('affix') ?? (threadOrder === 'oldest-first' ? 'append' : 'prepend')
  if (affix === 'append' || affix === 'prepend') return affix
  throw badRequest({ affix: ['The affix must be append or prepend.'] })
}

function readCursor(query: URLSearchParams): Cursor | null {
  const [sentAt, id] = [readDigits(query, 'sentAt'), readDigits(query, 'id')]
  if (sentAt === null && id === null) return null
  return { sentAt: sentAt === null ? null : Number(sentAt), id: id === null ? null : BigInt(id) }
}

/** The size is `perPage` as documented, or `per_page` or `limit` as the SDK and the other lists have it. */
export function readPageRequest(query: URLSearchParams, switches: Switches): PageRequest {
  const { threadPaging, threadPageMax } = switches
  const sizeName = ['perPage', 'per_page', 'limit'].find(name => query.has(name)) ?? 'perPage'
  const asked = readCount(query, sizeName, DEFAULT_PER_PAGE, MAX_PER_PAGE)
  const perPage = threadPageMax === null ? asked : Math.min(asked, threadPageMax)
  const hasCursor = ['affix', 'id', 'sentAt'].some(name => query.has(name))
  if (threadPaging === 'cursor' || (threadPaging === 'page-and-cursor' && hasCursor)) {
    return { perPage, page: null, affix: readAffix(query, switches), cursor: readCursor(query) }
  }
  const page = readCount(query, 'page', 1)
  const affix = switches.threadOrder === 'oldest-first' ? 'append' : 'prepend'
  return { perPage, page: threadPaging === 'ignored' ? 1 : page, affix, cursor: null }
}

const compare = <T extends number | bigint>(a: T, b: T): number => (a === b ? 0 : a < b ? -1 : 1)

/** Where a reply stands against the cursor: negative when it is older. */
function compareTo({ sentAt, id }: Cursor, reply: StoredMessage): number {
  const bySecond = sentAt === null ? 0 : compare(seconds(reply.sentAtMs), sentAt)
  return bySecond !== 0 || id === null ? bySecond : compare(BigInt(reply.id), id)
}

function cutAtCursor(replies: readonly StoredMessage[], { perPage, affix, cursor }: PageRequest, switches: Switches) {
  const isInclusive = switches.threadCursor === 'inclusive'
  const isBeyond = (reply: StoredMessage): boolean => {
    if (cursor === null) return true
    const place = compareTo(cursor, reply)
    return affix === 'append' ? place > 0 || (isInclusive && place === 0) : place < 0 || (isInclusive && place === 0)
  }
  const beyond = replies.filter(isBeyond)
  const hasMore = beyond.length > perPage
  if (affix === 'append') {
    const shown = beyond.slice(0, perPage)
    return { shown, last: shown.at(-1), hasMore }
  }
  const shown = beyond.slice(-perPage)
  return { shown, last: shown[0], hasMore }
}

/** `replies` are oldest first. Where hidden ones leave gaps, the page is cut first and may be short, or empty. */
export function cutPage(
  replies: readonly StoredMessage[],
  asked: PageRequest,
  isShown: (reply: StoredMessage) => boolean,
  switches: Switches
): Page {
  const isNewestFirst = switches.threadOrder === 'newest-first'
  const listed = switches.threadGaps ? replies : replies.filter(isShown)
  if (asked.page === null) {
    const { shown, last, hasMore } = cutAtCursor(listed, asked, switches)
    const page = shown.filter(isShown)
    return { replies: isNewestFirst ? page.reverse() : page, last, hasMore }
  }
  const ordered = isNewestFirst ? [...listed].reverse() : listed
  const first = (asked.page - 1) * asked.perPage
  const slots = ordered.slice(first, first + asked.perPage)
  return { replies: slots.filter(isShown), last: slots.at(-1), hasMore: ordered.length > first + asked.perPage }
}

/** What `next` holds on a page after the end, where the switch wants one all the same: where the client was already. */
const nextAfterEnd = ({ affix, cursor }: PageRequest): JsonObject => ({
  affix,
  sentAt: cursor?.sentAt ?? 0,
  id: String(cursor?.id ?? 0)
})

function nextOf({ last, hasMore }: Page, asked: PageRequest, { threadNext }: Switches): JsonObject | undefined {
  if (threadNext === 'never' || (threadNext === 'while-more' && !hasMore)) return undefined
  if (last) return { affix: asked.affix, sentAt: seconds(last.sentAtMs), id: last.id }
  return threadNext === 'always' ? nextAfterEnd(asked) : undefined
}

/** A cursor although the parameters are pages: CometChat's example mixes the two. The SDK reads `meta.cursor`. */
export function pageMeta(page: Page, asked: PageRequest, switches: Switches): JsonObject {
  const next = nextOf(page, asked, switches)
  const { threadMeta } = switches
  return {
    current: { limit: asked.perPage, count: page.replies.length },
    ...(next && threadMeta !== 'cursor' && { next }),
    ...(next && threadMeta !== 'next' && { cursor: next })
  }
}
