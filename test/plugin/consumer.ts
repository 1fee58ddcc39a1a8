// A project of somebody else that has installed the tarball, with the versions that this one is tested with.
import { spawn } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packPlugin } from '../../packages/plugin/pack.ts'
import { runnerEnv } from '../helpers/runner-env.ts'

interface LockedPackage {
  readonly dev?: boolean
  readonly name?: string
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const OTHER_UNDICI = 'node_modules/undici-7'
const PATIENCE_MS = 60_000
const PATH = { PATH: process.env['PATH'] }

/** Packs the plugin and installs it, in this directory. */
export async function installPlugin(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const tarball = packPlugin(directory)
  cpSync(tarball, join(directory, 'plugin.tgz'))
  rmSync(tarball)
  const wanted = { 'thread-reply-plugin': 'file:plugin.tgz', fastify: lockedVersion('fastify') }
  const project = { name: 'consumer', version: '1.0.0', private: true, dependencies: wanted }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(project))
  const manifest = await run('tar', ['xzOf', 'plugin.tgz', 'package/package.json'], directory, PATH)
  writeFileSync(join(directory, 'package-lock.json'), JSON.stringify(lockOf(project, JSON.parse(manifest))))
  const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', ['ci', ...flags], directory, { ...PATH, HOME: process.env['HOME'] })
}

/**
 * What this project has locked, without what only its tests need: npm asks nobody for versions,
 * and leaves out what is not needed.
 */
function lockOf(project: object, plugin: object): object {
  const { lockfileVersion, packages }: { lockfileVersion: number; packages: Record<string, LockedPackage> } =
    JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  const kept = Object.entries(packages).filter(
    ([path, { dev }]) => path !== '' && !dev && path !== 'node_modules/undici'
  )
  const { name: _alias, dev: _dev, ...undici } = packages[OTHER_UNDICI] ?? {}
  return {
    lockfileVersion,
    requires: true,
    packages: {
      '': project,
      ...Object.fromEntries(kept),
      'node_modules/undici': undici,
      'node_modules/thread-reply-plugin': { ...plugin, resolved: 'file:plugin.tgz' }
    }
  }
}

function lockedVersion(name: string): string {
  return JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version
}

/** The program of another Node on this machine; undefined where there is none. */
export async function findNode(major: number): Promise<string | undefined> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const [path] = globSync('node', { cwd: directory || '.' })
    if (path === undefined) continue
    const program = join(directory, path)
    const version = await run(program, ['--version'], ROOT, {}).catch(() => '')
    if (version.startsWith(`v${major}.`)) return program
  }
  return undefined
}

/** What a program writes to standard output; rejects with all that it wrote where it fails. */
export function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn(program, args, { cwd, env: { ...runnerEnv(), ...env }, timeout: PATIENCE_MS })
  let output = ''
  let errors = ''
  child.stdout.on('data', piece => {
    output += piece
  })
  child.stderr.on('data', piece => {
    errors += piece
  })
  child.once('error', reject)
  child.once('close', code => {
    if (code === 0 && errors === '') resolve(output)
    else reject(new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output}${errors}`))
  })
  return promise
}
