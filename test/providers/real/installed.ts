// The libraries of providers are not among the packages of the project: the tests that need them install them.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
/** npm writes it when it has finished. */
const FINISHED = `${FOLDER}node_modules/.package-lock.json`

/** Why the tests of real libraries cannot run; where CI is set they have to. */
export function withoutLibraries(): string | false {
  if (existsSync(FINISHED)) return false
  const { status } = spawnSync('npm', ['ci', '--prefer-offline', '--prefix', FOLDER], { stdio: 'ignore' })
  if (status === 0 || process.env['CI'] !== undefined) return false
  return 'npm ci --prefix test/providers/real did not work'
}
