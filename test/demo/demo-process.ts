import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { childrenOf } from '../helpers/processes.ts'
import { runnerEnv } from '../helpers/runner-env.ts'

export const MAIN = new URL('../../demo/main.ts', import.meta.url).pathname
const POLL_MS = 10
const PATIENCE_MS = 90_000
/** The command that is printed for another terminal. */
export const CURL = /curl -i [\s\S]*?-d '.*'$/m

/** Of the environment of the tests, what a demo needs. */
export function demoEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'], ...runnerEnv() }
}

/** Starts the demo as a terminal would, but without one: no stdin, pipes for output. */
export function startDemo(t: Test, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...demoEnv(), ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk
  })
  const ended = new Promise<number | null>(resolve => {
    child.once('close', resolve)
  })
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })

  const until = async <T>(find: () => T | undefined, what: string): Promise<T> => {
    const deadline = performance.now() + PATIENCE_MS
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      if (performance.now() > deadline || child.exitCode !== null) {
        throw new Error(`the demo has not ${what}: ${said.stdout}${said.stderr}`)
      }
      await sleep(POLL_MS)
    }
  }
  const childPids = (): number[] => childrenOf(child.pid)

  return {
    child,
    said,
    ended,
    /** The processes it has started, by id. */
    childPids,
    hasChildren: () => until(() => (childPids().length > 0 ? childPids() : undefined), 'started a process'),
    /** Resolves with what the pattern captures, once it has been printed. */
    prints: async (pattern: RegExp): Promise<string[]> =>
      until(() => pattern.exec(said.stdout) ?? undefined, `printed ${pattern}`)
  }
}

/** A demo on free ports that has come so far that it waits for Ctrl-C. */
export async function startServing(t: Test) {
  const demo = startDemo(t, ['--port', '0'])
  await demo.prints(/Ctrl-C ends everything.*\n/)
  return demo
}

/** The same, with its story and the log of the service. */
export async function startVerbose(t: Test) {
  const demo = startDemo(t, ['--port', '0', '--verbose'])
  await demo.prints(/What the service logs[\s\S]*"msg":"request"/)
  return demo
}

export async function runDemo(t: Test, args: readonly string[], env: Record<string, string> = {}) {
  const { said, ended } = startDemo(t, args, env)
  return { code: await ended, ...said }
}
