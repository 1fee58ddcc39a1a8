import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

const PAUSE_MS = 5
/** Where it takes long, asking must not keep what is waited for from a processor. */
const LONGEST_PAUSE_MS = 25
/** Long enough for a machine that is busy with other things; shorter than a test file may take. */
const PATIENCE_MS = 30_000

/** Asks again until the answer is the one that is waited for, and gives it; fails with the last one when time is over. */
export async function until<T>(
  ask: () => T | Promise<T>,
  isIt: (answer: T) => boolean = Boolean,
  timeoutMs = PATIENCE_MS
): Promise<T> {
  const startedAtMs = performance.now()
  for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(pauseMs + 1, LONGEST_PAUSE_MS)) {
    const answer = await ask()
    if (isIt(answer)) return answer
    if (performance.now() - startedAtMs > timeoutMs)
      throw new Error(`after ${timeoutMs} ms it is still ${inspect(answer)}: ${ask}`)
    await sleep(pauseMs)
  }
}
