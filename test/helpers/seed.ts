import type { Test } from 'tap'

/** The seed of every random choice in a test: fixed, so that a failure can be repeated; printed all the same. */
export function seedOf(t: Test): number {
  const seed = Number(process.env['TEST_SEED'] ?? 20_261_121)
  t.comment(`TEST_SEED=${seed}`)
  return seed
}
