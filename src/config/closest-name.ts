const MAX_DISTANCE = 3
/** Of a short name much else is as near as two changes. */
const SHORT = 8

/** `: did you mean X?` for a misspelt name, or a full stop when no known name is near. */
export function closestName(name: string, known: readonly string[]): string {
  let best = { name: '', distance: MAX_DISTANCE + 1 }
  for (const candidate of known) {
    const distance = editDistance(name, candidate)
    if (distance < best.distance) best = { name: candidate, distance }
  }
  return best.name === '' ? '.' : `: did you mean ${best.name}?`
}

/** The known name that a name of no known beginning is nearly; undefined where it is likely to be something else. */
export function misspelt(name: string, known: readonly string[]): string | undefined {
  // Of the hundreds of variables that a container may have, most are told from ours by their length alone.
  const isNear = (candidate: string): boolean => {
    const allowed = candidate.length <= SHORT ? 1 : 2
    return Math.abs(candidate.length - name.length) <= allowed && editDistance(name, candidate) <= allowed
  }
  return known.find(candidate => isNear(candidate) || isSwapped(name, candidate))
}

/** Two neighbours in the wrong order. */
function isSwapped(a: string, b: string): boolean {
  const index = Array.from(a).findIndex((letter, index) => letter !== b[index])
  return index !== -1 && a.slice(0, index) + a[index + 1] + a[index] + a.slice(index + 2) === b
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution))
    }
    row = next
  }
  return row[b.length] ?? 0
}
