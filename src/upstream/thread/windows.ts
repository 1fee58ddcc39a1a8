// Pages of a list by their numbers: pages of one size are counted from 1.
import type { ThreadWindow } from './page.ts'

/** How many messages of the pages before a page shows again; one that disappears between two reads moves it by one. */
const OVERLAP = 2

export function startOf({ page, size }: ThreadWindow): number {
  return (page - 1) * size
}

export function endOf({ page, size }: ThreadWindow): number {
  return page * size
}

export function pageAfter({ page, size }: ThreadWindow): ThreadWindow {
  return { page: page + 1, size }
}

/**
 * The page that shows most of what follows the first `covered` messages, and the last of them again. Pages begin at
 * multiples of their size, so a somewhat smaller one may reach further. A page of 1 where none overlaps.
 */
export function overlappingWindow(covered: number, maxSize: number): ThreadWindow {
  if (covered === 0) return { page: 1, size: maxSize }
  const sizes = Array.from({ length: maxSize - 1 }, (_, index) => maxSize - index)
  for (let overlap = Math.min(OVERLAP, covered); overlap > 0; overlap--) {
    const windows = sizes.map(size => ({ page: Math.floor((covered - overlap) / size) + 1, size }))
    const furthest = windows.reduce((best, one) => (endOf(one) > endOf(best) ? one : best), { page: 1, size: covered })
    if (endOf(furthest) > covered) return furthest
  }
  return { page: covered + 1, size: 1 }
}
