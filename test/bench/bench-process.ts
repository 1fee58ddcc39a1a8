import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { runnerEnv } from '../helpers/runner-env.ts'

export interface BenchRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** What it left in its temporary directory. */
  readonly left: readonly string[]
  /** Names of what it left where its results go. */
  readonly results: readonly string[]
  read(result: string): string
}

/** Starts a program of `bench/` with a temporary directory of its own, which says what it leaves behind. */
export function startBench(
  t: Test,
  program: string,
  args: readonly string[]
): { readonly child: ChildProcess & { readonly stderr: NodeJS.ReadableStream }; readonly finished: Promise<BenchRun> } {
  const directory = t.testdir({ tmp: {}, results: {} })
  const results = join(directory, 'results')
  const path = new URL(`../../bench/${program}`, import.meta.url).pathname
  const child = spawn(process.execPath, [path, ...args, '--results', results], {
    env: { PATH: process.env['PATH'], TMPDIR: `${directory}/tmp`, ...runnerEnv() },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  const finished = ended.then(([[code], stdout, stderr]) => ({
    code,
    stdout,
    stderr,
    left: readdirSync(`${directory}/tmp`),
    results: readdirSync(results).sort(),
    read: (result: string) => readFileSync(join(results, result), 'utf8')
  }))
  return { child, finished }
}
