/** How long the fastest of some tries took: a busy machine delays one of them, a wait that should not be delays all. */
export async function fastestMs(act: () => unknown, tries = 4): Promise<number> {
  let leastMs = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < tries; attempt++) {
    const startedAtMs = performance.now()
    await act()
    leastMs = Math.min(leastMs, performance.now() - startedAtMs)
  }
  return leastMs
}
