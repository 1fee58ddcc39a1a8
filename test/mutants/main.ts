// Changes the service at random, one place at a time, and runs the tests that can reach it: a change that no test
// notices is shown with its line. Usage: npm run mutants -- [--seed N] [--count N] [--in PATH] [--fast]

import { execFileSync, spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createRandom } from '../../emulator/random.ts'
import { type Mutation, mutationsOf } from './mutations.ts'
import { readTestFiles, type TestFile, testsFor } from './reach.ts'

const AREAS = 'src/{auth,delivery,upstream,http,routes}/**/*.ts'
const ROOT = new URL('../../', import.meta.url).pathname
const TEST_WITHIN_MS = 180_000

interface Outcome {
  readonly mutation: Mutation
  readonly killedBy: string | undefined
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    count: { type: 'string', default: '100' },
    in: { type: 'string', default: '' },
    /** Leaves out the tests that start the service as a process. */
    fast: { type: 'boolean', default: false }
  }
})
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
const tree = mkdtempSync(join(tmpdir(), 'mutants-'))
try {
  copyTree(tree)
  process.chdir(tree)
  process.exitCode = await runSample(Number(values.seed), Number(values.count))
} finally {
  rmSync(tree, { recursive: true, force: true })
}

/** What git knows and what lies there besides, without what is ignored. */
function copyTree(into: string): void {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT
  })
  execFileSync('tar', ['--create', '--null', '--files-from=-', '--file', join(into, 'tree.tar')], {
    cwd: ROOT,
    input: files
  })
  execFileSync('tar', ['--extract', '--file', 'tree.tar'], { cwd: into })
  rmSync(join(into, 'tree.tar'))
  symlinkSync(join(ROOT, 'node_modules'), join(into, 'node_modules'))
}

async function runSample(seed: number, count: number): Promise<number> {
  const all = globSync(AREAS)
    .sort()
    .filter(file => file.includes(values.in))
    .flatMap(file => mutationsOf(file, readFileSync(file, 'utf8')))
  const random = createRandom(seed)
  const sample = Array.from({ length: Math.min(count, all.length) }, () =>
    all.splice(Math.floor(random() * all.length), 1)
  ).flat()
  console.log(`seed ${seed}: ${sample.length} of ${all.length + sample.length} mutants`)
  const tests = readTestFiles().filter(({ startsService }) => !(values.fast && startsService))
  const kills = new Map<string, number>()
  const outcomes: Outcome[] = []
  for (const mutation of sample) {
    const killedBy = await firstKiller(mutation, testsFor(mutation.file, tests, kills))
    if (stopping.signal.aborted) break
    if (killedBy !== undefined) kills.set(killedBy, (kills.get(killedBy) ?? 0) + 1)
    outcomes.push({ mutation, killedBy })
    console.log(describe(mutation, killedBy, outcomes.length))
  }
  const survivors = outcomes.filter(({ killedBy }) => killedBy === undefined).length
  const share = (100 * (outcomes.length - survivors)) / Math.max(1, outcomes.length)
  console.log(`seed ${seed}: ${outcomes.length - survivors} of ${outcomes.length} killed (${share.toFixed(1)} %)`)
  return share >= 90 ? 0 : 1
}

async function firstKiller({ file, start, end, replacement }: Mutation, tests: readonly TestFile[]) {
  const source = readFileSync(file, 'utf8')
  writeFileSync(file, source.slice(0, start) + replacement + source.slice(end))
  try {
    for (const test of tests) {
      if (stopping.signal.aborted) return undefined
      if (await passes(test.file)) continue
      // On a busy machine a test of processes may fail by itself: it has noticed only what it notices again.
      if (!test.startsService || !(await passes(test.file))) return test.file
    }
    return undefined
  } finally {
    writeFileSync(file, source)
  }
}

function passes(file: string): Promise<boolean> {
  const child = spawn(process.execPath, [file], {
    cwd: tree,
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(tree, '.compiled'),
      TAP_BAIL: '1',
      TAP_TIMEOUT: String(TEST_WITHIN_MS / 1000)
    },
    stdio: 'ignore',
    // A group of its own, so that what a test leaves behind ends with it.
    detached: true
  })
  const end = (): void => endGroup(child.pid)
  const tooLate = setTimeout(end, TEST_WITHIN_MS)
  stopping.signal.addEventListener('abort', end)
  return new Promise(resolve => {
    child.once('close', code => {
      clearTimeout(tooLate)
      stopping.signal.removeEventListener('abort', end)
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

function describe({ file, start, end, replacement, kind }: Mutation, killedBy: string | undefined, number: number) {
  const source = readFileSync(file, 'utf8')
  const line = source.slice(0, start).split('\n').length
  const place = `${number}. ${file}:${line} ${kind}`
  if (killedBy !== undefined) return `${place}: killed by ${killedBy}`
  const [from, to] = [source.lastIndexOf('\n', start - 1) + 1, source.indexOf('\n', end)]
  const after = source.slice(from, start) + replacement + source.slice(end, to)
  const shown = (sign: string, text: string): string => text.replaceAll(/^/gm, `  ${sign} `)
  return `${place}: SURVIVED\n${shown('-', source.slice(from, to))}\n${shown('+', after)}`
}
