// Pages of a list by their numbers: a page of so many messages begins at a multiple of that.

/** Places in a list, counted from 0; `end` is the first that does not belong to it. */
export interface Window {
  readonly start: number
  readonly end: number
}

/**
 * The smallest page that shows a stretch of a list. Where none of the largest size does, the one that shows its beginning
 * and goes furthest, or, from the end of the stretch, its end.
 */
export function windowOver(from: number, to: number, largest: number, isFromBeginning: boolean): Window {
  for (let size = Math.min(to - from, largest); size <= largest; size++) {
    const start = Math.floor(from / size) * size
    if (start + size >= to) return { start, end: start + size }
  }
  let best: Window | undefined
  for (let size = 1; size <= largest; size++) {
    const start = isFromBeginning ? Math.floor(from / size) * size : (Math.ceil(to / size) - 1) * size
    const isBetter = !best || (isFromBeginning ? start + size > best.end : start < best.start)
    if (isBetter) best = { start, end: start + size }
  }
  return best ?? { start: 0, end: 1 }
}
