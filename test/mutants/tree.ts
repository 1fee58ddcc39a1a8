// A copy of the tree in which sources are changed and tests are run.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TEST_WITHIN_S = 240
/** What a process takes, after the test, to write what it has executed. */
const WRITTEN_WITHIN_MS = 10_000

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

export interface RunOptions {
  readonly withinS?: number
  readonly env?: NodeJS.ProcessEnv
}

/** Runs one test file, to its first failure; resolves with whether it passed. Its processes end with it. */
export async function runTest(
  tree: string,
  file: string,
  signal: AbortSignal,
  { withinS = TEST_WITHIN_S, env = {} }: RunOptions = {}
): Promise<boolean> {
  const child = spawn(process.execPath, ['--import', './test/no-async-hooks.ts', file], {
    cwd: tree,
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(tree, '.compiled'),
      TAP_BAIL: '1',
      TAP_TIMEOUT: String(withinS),
      ...env
    },
    stdio: 'ignore',
    detached: true
  })
  const end = (): void => endGroup(child.pid)
  const tooLate = setTimeout(end, (withinS + 5) * 1000)
  signal.addEventListener('abort', end)
  const [code] = await once(child, 'close')
  // What ends by itself says what it has executed.
  const writtenByMs = performance.now() + WRITTEN_WITHIN_MS
  while (env['NODE_V8_COVERAGE'] && isGroupAlive(child.pid) && performance.now() < writtenByMs) await sleep(50)
  clearTimeout(tooLate)
  signal.removeEventListener('abort', end)
  end()
  return code === 0
}

function isGroupAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(-pid, 0)
  } catch {
    return false
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Every process of it has ended.
  }
}
