// What is measured: a program behind a port, pinned to a processor of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { pinned } from './child.ts'

export interface Subject {
  readonly name: string
  readonly port: number
  readonly pid: number
}

export interface Program {
  readonly name: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly port: number
  readonly cores?: string
}

const READY_WITHIN_MS = 20_000
const READY_POLL_MS = 50

/** Starts a program and waits until its port answers; it ends with the stack. */
export async function startProgram(stack: AsyncDisposableStack, program: Program): Promise<Subject> {
  const { name, command, env, port, cores } = program
  const [file = '', ...args] = pinned(command, cores)
  const child = spawn(file, args, { env: { ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000)
  })
  const ended = once(child, 'exit').then(([code, signal]): never => {
    throw new Error(`${name} ended by itself (${signal ?? code}): ${said}`)
  })
  ended.catch(() => undefined)
  stack.defer(async () => {
    child.kill('SIGKILL')
    await ended.catch(() => undefined)
  })
  await Promise.race([ended, untilItAnswers(name, port)])
  return { name, port, pid: child.pid ?? 0 }
}

export async function untilItAnswers(name: string, port: number): Promise<void> {
  const endsAtMs = performance.now() + READY_WITHIN_MS
  while (!(await answers(port))) {
    if (performance.now() > endsAtMs) throw new Error(`${name} did not listen within ${READY_WITHIN_MS / 1000} s`)
    await sleep(READY_POLL_MS)
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
