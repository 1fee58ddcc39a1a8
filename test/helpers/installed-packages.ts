// Packages of some tests are not among those of the project: the tests that need them install them.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Installs what the lock of a folder names; says why its tests cannot run. Where CI is set they have to. */
export function withoutPackages(folder: URL): string | false {
  const path = fileURLToPath(folder)
  // npm writes it when it has finished.
  if (existsSync(`${path}node_modules/.package-lock.json`)) return false
  const { status } = spawnSync('npm', ['ci', '--prefer-offline', '--prefix', path], { stdio: 'ignore' })
  if (status === 0 || process.env['CI'] !== undefined) return false
  return 'npm ci did not work for its packages'
}
