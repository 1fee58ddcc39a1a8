// What the peers need and the project itself does not: two programs of the system, and npm packages of their own.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = fileURLToPath(new URL('npm/', import.meta.url))
/** Debian keeps them where only root looks by default. */
const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin']

/** Why a program is not there, or not as new as it must be. */
export function withoutProgram(name: string, since = 0): string | undefined {
  const { error, stdout } = spawnSync(findProgram(name), ['-v'], { encoding: 'utf8' })
  if (error) return `${name} is not installed (apt-get install ${name})`
  const version = Number(/version (\d+\.\d+)/.exec(stdout)?.[1])
  return version < since ? `${name} ${version} is installed, and ${since} is needed` : undefined
}

/** Where a program is; its name alone when it is nowhere. */
export function findProgram(name: string): string {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_DIRECTORIES]
  return directories.map(directory => join(directory, name)).find(isExecutable) ?? name
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Why the npm packages of the peers are not there, or not those of the lock. */
export function withoutPackages(): string | undefined {
  // npm writes the first when it has finished.
  const [installed, locked] = [packagesIn('node_modules/.package-lock.json'), packagesIn('package-lock.json')]
  const isThere = ([path, { version, optional }]: [string, LockedPackage]): boolean =>
    path === '' || optional === true || installed[path]?.version === version
  if (Object.entries(locked).every(isThere)) return undefined
  return 'its npm packages are not installed (npm ci --prefix bench/peers/npm)'
}

/** Installs the npm packages of the peers when they are missing; what npm says goes to standard error. */
export function installPeers(): void {
  if (withoutPackages() === undefined) return
  process.stderr.write('Installing the npm packages of the peers …\n')
  const { error, status } = spawnSync('npm', ['ci', '--prefix', PACKAGES], { stdio: ['ignore', 2, 2] })
  if (error) throw new Error(`The npm packages of the peers cannot be installed: ${error.message}`)
  if (status !== 0) throw new Error(`The npm packages of the peers were not installed: npm ended with ${status}.`)
}

interface LockedPackage {
  readonly version: string
  readonly optional?: boolean
}

function packagesIn(lock: string): Record<string, LockedPackage> {
  const file = join(PACKAGES, lock)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {}
}
