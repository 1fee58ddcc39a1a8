// Packs the plugin as it is installed: JavaScript and types, because Node strips no types below node_modules.
//   npm run pack -- [DIRECTORY]     writes the tarball there (by default into packages/plugin), and prints its path
import { spawnSync } from 'node:child_process'
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = resolve(HERE, '../..')
const ENTRY = 'dist/plugin/thread-replies.d.ts'
const FOREIGN_IMPORT = /(?:from|import\()\s*['"]((?:@[\w-]+\/)?[a-z][\w.-]*)(?:\/[\w./-]+)?['"]/g
const LOCAL_IMPORT = /(?:from|import\()\s*['"](\.[^'"]+)\.[jt]s['"]/g
/** The last undici for Node 20 is another one than that of the service: docs/decisions/0023-plugin.md. */
const OTHER_NAMES: Readonly<Record<string, string>> = { undici: 'undici-7' }
/** Of the host: that is, installed by it. */
const PEERS = new Set(['fastify'])
/** What the plugin never loads, and bundlers want to know of. */
const UNUSED = /^@opentelemetry\//

const read = (path: string): string => readFileSync(path, 'utf8')

/** Returns the path of the tarball. */
export function packPlugin(directory: string): string {
  const stage = mkdtempSync(join(tmpdir(), 'thread-reply-plugin-'))
  try {
    // Checking takes ten times as long: npm run typecheck does it.
    const flags = ['-p', join(HERE, 'tsconfig.json'), '--noCheck', '--outDir', join(stage, 'dist')]
    run(join(ROOT, 'node_modules/.bin/tsc'), flags, ROOT)
    removeHiddenTypes(stage)
    copyFileSync(join(HERE, 'README.md'), join(stage, 'README.md'))
    writeFileSync(join(stage, 'package.json'), JSON.stringify(manifestOf(stage), null, 2))
    const [name = ''] = run('npm', ['pack', '--silent', '--pack-destination', resolve(directory)], stage)
      .trim()
      .split('\n')
    return join(resolve(directory), name)
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stdout}${stderr}`)
  return stdout
}

/** The types of parts stay here: what a host cannot reach must not add anything to the types of its requests. */
function removeHiddenTypes(stage: string): void {
  const shown = new Set<string>()
  const show = (file: string): void => {
    if (shown.has(file)) return
    shown.add(file)
    for (const [, path = ''] of read(file).matchAll(LOCAL_IMPORT)) show(`${resolve(dirname(file), path)}.d.ts`)
  }
  show(join(stage, ENTRY))
  for (const path of globSync('dist/**/*.d.ts', { cwd: stage })) {
    if (!shown.has(join(stage, path))) rmSync(join(stage, path))
  }
}

/** What the files import, in the versions with which the service is tested. */
function manifestOf(stage: string): object {
  const root: Manifest = JSON.parse(read(join(ROOT, 'package.json')))
  const found = globSync('dist/**/*.js', { cwd: stage }).flatMap(path =>
    Array.from(read(join(stage, path)).matchAll(FOREIGN_IMPORT), ([, name = '']) => name)
  )
  const names = [...new Set(found)].filter(name => !PEERS.has(name)).sort()
  const versionOf = (name: string): string => {
    const version = { ...root.dependencies, ...root.devDependencies }[OTHER_NAMES[name] ?? name]
    if (version === undefined) throw new Error(`${name} is imported, and package.json does not have it.`)
    return version.replace(/^npm:.*@/, '')
  }
  const versions = (wanted: readonly string[]) => Object.fromEntries(wanted.map(name => [name, versionOf(name)]))
  const unused = names.filter(name => UNUSED.test(name))
  const manifest = JSON.parse(read(join(HERE, 'package.json')))
  return {
    ...manifest,
    private: undefined,
    version: root.version,
    dependencies: versions(names.filter(name => !UNUSED.test(name))),
    peerDependencies: { ...manifest.peerDependencies, ...versions(unused) },
    peerDependenciesMeta: Object.fromEntries(unused.map(name => [name, { optional: true }]))
  }
}

if (import.meta.main) process.stdout.write(`${packPlugin(process.argv[2] ?? HERE)}\n`)
