/** So many were not above the bound, by bound; the last one is infinite. */
export type Cumulative = ReadonlyMap<number, number>

/** A bound counts as many of another time as were counted until now. */
export function since(now: Cumulative, before: Cumulative): Cumulative {
  return new Map([...now].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]))
}

/** Between two bounds it is taken for even, as Prometheus does; what is above all of them counts as the last one. */
export function quantileOf(counts: Cumulative, share: number): number {
  const rank = share * Math.max(0, ...counts.values())
  let [lower, below] = [0, 0]
  for (const [bound, count] of [...counts].sort(([one], [other]) => one - other)) {
    if (count >= rank && count > below) {
      return Number.isFinite(bound) ? lower + ((bound - lower) * (rank - below)) / (count - below) : lower
    }
    ;[lower, below] = [bound, count]
  }
  return 0
}
