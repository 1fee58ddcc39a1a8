// Runs test files (all of them by default) in processes of their own, several at a time and short ones together, shows each
// file, its seconds and its processor time, and what fails in it, and ends with the plain line `N passed, N failed`.
// `--verbose` shows every assertion, `--slowest` the files that cost most, `--jobs=N` says how many run at a time; `--record`
// keeps what each file took for whoever runs them for the first time. tap's own runner is not used: it loads a hook into
// every process, also into every service that a test starts, and that was two fifths of what all tests cost together.
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Batch, batchesOf } from './batches.ts'
import { testFiles } from './files.ts'
import { type Cost, slowestOf } from './slowest.ts'
import { Times } from './times.ts'

interface RunResult {
  readonly output: string
  readonly isOk: boolean
  readonly seconds: number
  readonly cpuSeconds: number
}

const NO_ASYNC_HOOKS = new URL('no-async-hooks.ts', import.meta.url).href
const CPU_AT_END = new URL('cpu-at-end.ts', import.meta.url).href
const TOGETHER = fileURLToPath(new URL('together.ts', import.meta.url))
/** Some files start several processes: on a busy machine that takes its time. */
const FILE_WITHIN_S = 240
const CACHE = fileURLToPath(new URL('../node_modules/.cache/thread-reply-bff-tests', import.meta.url))

/** In memory, where that is large enough, nothing waits for a disk. What a killed process has left there goes, too. */
const MEMORY = '/dev/shm'
const MEMORY_BYTES = 2 ** 30

/** What a test says of its run, such as the seed that repeats it or the figures of a storm, and what it leaves out. */
const NOTABLE = /^\s*# (?!Subtest|time=|cpu=|\{ (?:total|pass))|# SKIP/
/** What test/together.ts writes after each of its files. */
const END_OF_FILE = /^# end of (\S+) after (\d+) ms, cpu=([\d.]+)s (\{.*\})\n/m
/** What test/cpu-at-end.ts writes after a file that has its process alone. */
const CPU = /^# cpu=([\d.]+)s$/m
const NOT_PASSED = /^(?!\s*(ok \d+|\d+\.\.\d+|# time=|# cpu=|# Subtest|TAP version)).*\S/

const args = process.argv.slice(2)
const verbose = args.includes('--verbose')
const given = args.filter(arg => !arg.startsWith('-'))
// More than there are processors: most of its time a test waits for a process, a deadline or a pause.
const jobs = Number(args.find(arg => arg.startsWith('--jobs='))?.slice(7) ?? availableParallelism() + 1)

mkdirSync(CACHE, { recursive: true })
const scratch = mkdtempSync(join(isLargeEnough(MEMORY) ? MEMORY : tmpdir(), 'thread-reply-bff-'))
// A Postgres runs as another user than root, below it.
chmodSync(scratch, 0o711)
const times = new Times(CACHE)
const waiting = batchesOf(given.length > 0 ? given : testFiles(), times)
const totals = { pass: 0, fail: 0, skip: 0 }
const costs: Cost[] = []
const running = new Set<number>()
process.once('exit', () => {
  endAll()
  rmSync(scratch, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

// One lane more, for what leaves the processors to the others.
const onlyWaiting = jobs > 1 ? [work('waiting')] : []
await Promise.all([...Array.from({ length: jobs }, () => work('any')), ...onlyWaiting])
times.keep()
if (args.includes('--record')) times.record(testFiles())
if (args.includes('--slowest')) process.stdout.write(slowestOf(costs))
const skipped = totals.skip > 0 ? `, ${totals.skip} skipped` : ''
process.stdout.write(`${totals.pass} passed, ${totals.fail} failed${skipped}\n`)
process.exitCode = totals.fail > 0 ? 1 : 0

async function work(kind: 'any' | 'waiting'): Promise<void> {
  const next = (): Batch | undefined => {
    const index = kind === 'any' ? 0 : waiting.findIndex(({ mostlyWaits }) => mostlyWaits)
    return index < 0 ? undefined : waiting.splice(index, 1)[0]
  }
  for (let batch = next(); batch !== undefined; batch = next()) {
    const { files } = batch
    const [file = ''] = files
    if (files.length > 1) reportTogether(files, await run([TOGETHER, ...files]))
    else report(file, await run([file]))
  }
}

/** Each of its files for itself. Of those that have not ended the first is at fault, and the others have another try. */
function reportTogether(files: readonly string[], { output, isOk }: RunResult): void {
  const ended = new Set<string>()
  let rest = output
  for (let end = END_OF_FILE.exec(rest); end !== null; end = END_OF_FILE.exec(rest)) {
    const [line, file = '', ms, cpu, counts = ''] = end
    const before = rest.slice(0, end.index)
    const took = { seconds: Number(ms) / 1000, cpuSeconds: Number(cpu) }
    report(file, { output: `${before}# ${counts}\n`, isOk: counts.includes('fail: 0'), ...took })
    ended.add(file)
    rest = rest.slice(end.index + line.length)
  }
  const [culprit, ...others] = files.filter(file => !ended.has(file))
  if (culprit !== undefined) report(culprit, { output: rest, isOk: false, seconds: 0, cpuSeconds: 0 })
  else if (!isOk && totals.fail === 0) report(files.join(' '), { output: rest, isOk, seconds: 0, cpuSeconds: 0 })
  waiting.push(...others.map(file => ({ files: [file], mostlyWaits: false })))
}

/** In its group, so that nothing that a test starts outlives it. */
function run(args: readonly string[]): Promise<RunResult> {
  const startedAtMs = performance.now()
  // Each of those that share a process has its own time in it.
  const withinS = FILE_WITHIN_S * Math.max(1, args.length - 1)
  const child = spawn(process.execPath, ['--import', NO_ASYNC_HOOKS, '--import', CPU_AT_END, ...args], {
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: CACHE,
      TAP_TIMEOUT: String(withinS),
      TMPDIR: scratch,
      TESTS_DIRECTORY: scratch
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  const pid = child.pid ?? 0
  running.add(pid)
  const overdue = setTimeout(() => endGroup(pid), (withinS + 10) * 1000)
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise(resolve => {
    child.once('exit', () => {
      clearTimeout(overdue)
      endGroup(pid)
      running.delete(pid)
    })
    child.once('close', code => {
      const output = Buffer.concat(chunks).toString()
      const seconds = (performance.now() - startedAtMs) / 1000
      resolve({ output, isOk: code === 0, seconds, cpuSeconds: Number(CPU.exec(output)?.[1] ?? 0) })
    })
  })
}

function report(file: string, { output, isOk, seconds, cpuSeconds }: RunResult): void {
  times.seconds[file] = seconds
  times.cpuSeconds[file] = cpuSeconds
  costs.push({ file, seconds, cpuSeconds })
  const counted = /^# \{ (?:total|pass): \d+.*\}/m.exec(output)?.[0] ?? ''
  const found = { pass: 0, fail: 0, skip: 0 }
  for (const [, name, count] of counted.matchAll(/(pass|fail|skip): (\d+)/g))
    found[name as keyof typeof found] = Number(count)
  // A file that ended before it could count has failed, and one that counted nothing has not run.
  const isRun = found.pass + found.fail + found.skip > 0
  if ((!isOk || !isRun) && found.fail === 0) found.fail = 1
  for (const name of ['pass', 'fail', 'skip'] as const) totals[name] += found[name]
  const isGood = found.fail === 0
  const shown = verbose ? output : linesOf(output, isGood ? NOTABLE : NOT_PASSED)
  const cost = `time=${seconds.toFixed(1)}s cpu=${cpuSeconds.toFixed(1)}s`
  process.stdout.write(`${isGood ? 'ok' : 'not ok'} - ${file} # ${cost}\n${shown}`)
}

function linesOf(output: string, wanted: RegExp): string {
  const lines = output.split('\n').filter(line => wanted.test(line))
  return lines.map(line => `${line}\n`).join('')
}

function isLargeEnough(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize > MEMORY_BYTES
  } catch {
    return false
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Every process of it has ended.
  }
}

function endAll(): void {
  for (const pid of running) endGroup(pid)
}
