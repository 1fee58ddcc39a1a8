import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { createInterface } from 'node:readline'

// Runs tap over the given files (all of them by default), shows each file and what fails in it, and ends with the
// plain line `N passed, N failed`. `--verbose` shows tap's own output.
const args = process.argv.slice(2)
const files = args.filter(arg => !arg.startsWith('-'))
const verbose = args.includes('--verbose')
const tests = files.length > 0 ? files : globSync('test/**/*.test.ts').sort()

const tap = spawn('tap', ['run', '--reporter=tap', '--jobs=2', ...tests], { stdio: ['ignore', 'pipe', 'inherit'] })
const totals = { pass: 0, fail: 0, skip: 0 }
let inDiagnostic = false

for await (const line of createInterface({ input: tap.stdout })) {
  const isResult = /^\s*(not )?ok \d+/.test(line)
  if (isResult) inDiagnostic = /^\s*not ok/.test(line)
  else if (/^\s*(# Subtest|\d+\.\.\d+)/.test(line)) inDiagnostic = false
  const isFile = isResult && !line.startsWith(' ')
  // What a test says of its run, such as the seed that repeats it or the figures of a storm.
  const isComment = /^\s*# (?!Subtest|time=|\{ total|No coverage)/.test(line)
  if (verbose || inDiagnostic || isFile || isComment || /# SKIP/.test(line)) process.stdout.write(`${line}\n`)
  const closing = /^# \{ total: \d+.*\}/.exec(line)?.[0]
  for (const [, name, count] of closing?.matchAll(/(pass|fail|skip): (\d+)/g) ?? []) {
    totals[name as keyof typeof totals] = Number(count)
  }
}

const exitCode = await new Promise<number>(resolve => tap.once('close', code => resolve(code ?? 1)))
if (exitCode !== 0 && totals.fail === 0) totals.fail = 1
const skipped = totals.skip > 0 ? `, ${totals.skip} skipped` : ''
process.stdout.write(`${totals.pass} passed, ${totals.fail} failed${skipped}\n`)
process.exitCode = exitCode
