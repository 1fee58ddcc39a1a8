// Quotas as texts, for stores that do the arithmetic here and keep what comes of it.
import type { Cell } from '../cells.ts'
import type { SlidingLog } from '../sliding-log.ts'

export function writeLog({ charged, promised, tags }: SlidingLog): string {
  return JSON.stringify([charged, promised, tags])
}

/** What is not shaped like ours is forgotten: a quota is no truth about a reply. */
export function readLog(text: unknown): SlidingLog {
  const state = parsed(text)
  const [charged, promised, tags] = (Array.isArray(state) ? state : []).map(numbersIn)
  const isWhole = promised !== undefined && promised.length === tags?.length
  return { charged: charged ?? [], promised: isWhole ? promised : [], tags: isWhole ? tags : [] }
}

export function readCells(text: unknown): Cell[] {
  return cellsIn(parsed(text))
}

export function cellsIn(state: unknown): Cell[] {
  const cells: unknown[] = Array.isArray(state) ? state : []
  return cells.flatMap(cell => {
    const [second, units] = numbersIn(cell)
    return second === undefined || units === undefined ? [] : [[second, units] satisfies Cell]
  })
}

export function parsed(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

function numbersIn(list: unknown): number[] {
  return Array.isArray(list) ? list.filter(value => Number.isSafeInteger(value)) : []
}
