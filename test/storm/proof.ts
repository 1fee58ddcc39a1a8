import { QUIET_MS } from './run-storm.ts'

/** Where everything has to be proved, a storm that proves nothing about doubles fails. */
export function hasProved({ lagMs }: { readonly lagMs: number }): { skip?: string } {
  const isVain = lagMs >= QUIET_MS && !process.env['CI']
  return isVain ? { skip: 'this machine is too busy for the storm to prove anything about doubles' } : {}
}
