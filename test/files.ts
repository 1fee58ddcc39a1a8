import { globSync } from 'node:fs'

/** Every test file, without those of packages that a test has installed for itself. */
export function testFiles(): string[] {
  return globSync('test/**/*.test.ts', { exclude: ['**/node_modules/**'] }).sort()
}
