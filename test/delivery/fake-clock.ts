/** A clock in our hands: `pass` lets time pass, `jump` moves only what a wall clock shows. */
export function createFakeClock() {
  let monotonicMs = 0
  let wallMs = Date.UTC(2026, 10, 21)
  return {
    now: () => wallMs,
    monotonic: () => monotonicMs,
    sleep: async () => undefined,
    pass(ms: number) {
      monotonicMs += ms
      wallMs += ms
    },
    jump(ms: number) {
      wallMs += ms
    }
  }
}

export type FakeClock = ReturnType<typeof createFakeClock>

export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
