const HOUR_MS = 3_600_000

/**
 * Counts what happens by name, and says when to tell of it: the first time, and then at most once an hour. Returns how
 * often it happened since it was last told, this time included; undefined while it is not to be told. The names come
 * from a closed vocabulary.
 */
export function createHourly(monotonic: () => number): (name: string) => number | undefined {
  const counts = new Map<string, { untold: number; toldAtMs: number }>()
  return name => {
    const nowMs = monotonic()
    const known = counts.get(name)
    if (known && nowMs - known.toldAtMs < HOUR_MS) {
      known.untold++
      return undefined
    }
    counts.set(name, { untold: 0, toldAtMs: nowMs })
    return (known?.untold ?? 0) + 1
  }
}
