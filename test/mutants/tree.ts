// A copy of the tree in which sources are changed and tests are run.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TEST_WITHIN_S = 400

/** What git knows and what lies there besides, without what is ignored. */
export function copyTree(): string {
  const tree = mkdtempSync(join(tmpdir(), 'mutants-'))
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
  const archive = join(tree, 'tree.tar')
  const pack = ['--create', '--null', '--ignore-failed-read', '--files-from=-', '--file', archive]
  execFileSync('tar', pack, { cwd: ROOT, input: files, stdio: ['pipe', 'ignore', 'ignore'] })
  execFileSync('tar', ['--extract', '--file', archive], { cwd: tree })
  rmSync(archive)
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
  return tree
}

/** Runs one test file, to its first failure; resolves with whether it passed. Its processes end with it. */
export function passes(tree: string, file: string, signal: AbortSignal, env: NodeJS.ProcessEnv = {}): Promise<boolean> {
  const child = spawn(process.execPath, ['--import', './test/no-async-hooks.ts', file], {
    cwd: tree,
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(tree, '.compiled'),
      TAP_BAIL: '1',
      TAP_TIMEOUT: String(TEST_WITHIN_S),
      ...env
    },
    stdio: 'ignore',
    detached: true
  })
  const end = (): void => endGroup(child.pid)
  const tooLate = setTimeout(end, (TEST_WITHIN_S + 10) * 1000)
  signal.addEventListener('abort', end)
  return new Promise(resolve => {
    child.once('close', code => {
      clearTimeout(tooLate)
      signal.removeEventListener('abort', end)
      end()
      resolve(code === 0)
    })
  })
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Every process of it has ended.
  }
}
