import {
  compare,
  type Direction,
  isNewestFirst,
  type ListedMessage,
  type Listing,
  type ListingPlace,
  oldestFirst
} from './page.ts'
import type { ListingReader } from './reader.ts'

/** CometChat's lists end there. */
export const WHOLE_SIZE = 1000

type Edge = Pick<ListedMessage, 'id' | 'sentAt'>

/**
 * Lists a thread of which CometChat shows one page whatever it is asked for, as large as it can be. Undefined where that
 * page does not reach what is asked for: it would be said not to exist.
 */
export async function listWhole(
  reader: ListingReader,
  limit: number,
  { direction, id, sentAt }: ListingPlace
): Promise<Listing | undefined> {
  const page = await reader.read({ page: 1, size: WHOLE_SIZE })
  if (page.kind !== 'messages') return undefined
  const all = oldestFirst(page.messages)
  const edge = id === undefined ? undefined : { id, ...(sentAt !== undefined && { sentAt }) }
  const isFull = all.length >= page.size
  const cutAt = isFull ? (isNewestFirst(page.messages) ? 'older' : 'newer') : undefined
  const wanted = all.filter(message => isWanted(message, direction, edge))
  if (cutAt && !reaches(all, cutAt, edge)) return undefined
  if (wanted.length === 0 && cutAt === direction) return undefined
  const messages = direction === 'older' ? wanted.slice(-limit) : wanted.slice(0, limit)
  const isBeginning = direction === 'older' && messages.length === wanted.length && cutAt !== 'older'
  return around(messages, edge, isBeginning)
}

function around(messages: readonly ListedMessage[], edge: Edge | undefined, isBeginning: boolean): Listing {
  const [older, newer] = [messages[0] ?? edge, messages.at(-1) ?? edge]
  return {
    messages,
    ...(older && !isBeginning && { older: placeAt('older', older) }),
    ...(newer && { newer: placeAt('newer', newer) })
  }
}

function isWanted(message: ListedMessage, direction: Direction, edge: Edge | undefined): boolean {
  if (!edge) return true
  const age = compare(message, edge)
  return direction === 'older' ? age < 0 : age > 0
}

/** Whether nothing between the edge and the page can be missing from it; without an edge it must have the newest end. */
function reaches(all: readonly ListedMessage[], cutAt: Direction, edge: Edge | undefined): boolean {
  if (!edge) return cutAt === 'older'
  const end = cutAt === 'older' ? all[0] : all.at(-1)
  return end === undefined || (cutAt === 'older' ? compare(edge, end) >= 0 : compare(edge, end) <= 0)
}

export function placeAt(direction: Direction, { id, sentAt }: Edge): ListingPlace {
  return { direction, paging: 'nothing', id, ...(sentAt !== undefined && { sentAt }) }
}
