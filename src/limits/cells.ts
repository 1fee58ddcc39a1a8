// A budget of a minute as cells of a second: what was taken in a second counts until a whole minute is over.

export const CELL_MS = 1000
/** Units that were reserved may be used so much later. */
export const RESERVATION_MS = 1000
/** A minute, the cell that is not over yet, and one for what is reserved and used a little later. */
export const CELLS = 60 + 1 + RESERVATION_MS / CELL_MS

/** Second and units, from the oldest on. */
export type Cell = [second: number, units: number]

/** Units that become free, and in how many milliseconds. */
export interface Freeing {
  readonly inMs: number
  readonly units: number
}

export interface Reservation {
  /** 0 where nothing is left; fewer than wanted where little is. */
  readonly granted: number
  /** The cell they are in, to give them back. */
  readonly second: number
  /** In the window, these included. */
  readonly used: number
  /** When what is used becomes free; only where less was granted than wanted. */
  readonly frees: readonly Freeing[]
}

/** Takes units that are wanted, as far as they are there. `force` counts what was used already. */
export function reserve(
  cells: Cell[],
  nowMs: number,
  { wanted, limit, force = 0 }: { readonly wanted: number; readonly limit: number; readonly force?: number }
): Reservation {
  const second = settleCells(cells, nowMs)
  const before = total(cells)
  const granted = Math.max(0, Math.min(wanted, limit - before - force))
  addUnits(cells, second, granted + force)
  const frees = granted < wanted ? freeings(cells, nowMs) : []
  return { granted, second, used: before + granted + force, frees }
}

/** Gives units back to the cells they came from, as far as these still count. */
export function returnUnits(cells: readonly Cell[], returned: readonly Cell[]): void {
  for (const [second, units] of returned) {
    const cell = cells.find(([at]) => at === second)
    if (cell) cell[1] = Math.max(0, cell[1] - units)
  }
}

export function total(cells: readonly Cell[]): number {
  let sum = 0
  for (const [, units] of cells) sum += units
  return sum
}

/** Forgets what is over. After a clock has jumped back everything counts as of now: for a minute, not for a day. */
export function settleCells(cells: Cell[], nowMs: number): number {
  const second = Math.floor(nowMs / CELL_MS)
  const last = cells.at(-1)
  if (last && last[0] > second) cells.splice(0, cells.length, [second, total(cells)])
  let over = 0
  while (over < cells.length && (cells[over]?.[0] ?? 0) <= second - CELLS) over++
  if (over > 0) cells.splice(0, over)
  return second
}

/** `second` is the newest that the cells know of, or newer. */
export function addUnits(cells: Cell[], second: number, units: number): void {
  if (units === 0) return
  const last = cells.at(-1)
  if (last?.[0] === second) last[1] += units
  else cells.push([second, units])
}

function freeings(cells: readonly Cell[], nowMs: number): Freeing[] {
  return cells
    .filter(([, units]) => units > 0)
    .map(([second, units]) => ({ inMs: (second + CELLS) * CELL_MS - nowMs, units }))
}

/** In how many milliseconds so many units are free, where so many callers before were promised theirs. */
export function freeInMs(frees: readonly Freeing[], units: number, limit: number): number {
  const rounds = limit > 0 ? Math.floor((units - 1) / limit) : 0
  let missing = units - rounds * limit
  for (const freeing of frees) {
    missing -= freeing.units
    if (missing <= 0) return freeing.inMs + rounds * CELLS * CELL_MS
  }
  return (rounds + 1) * CELLS * CELL_MS
}
