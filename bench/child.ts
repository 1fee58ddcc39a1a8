// How the bench and its processes speak: a child says where it listens, then answers every question with one number.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

export interface Child {
  readonly url: string
  /** The number that this child counts: posts, or microseconds of CPU. */
  ask(): Promise<number>
}

export interface ChildOptions {
  readonly name: string
  readonly file: string
  readonly args?: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Starts a process that ends with the stack; rejects, as every question does, when it ends by itself. */
export async function startChild(stack: AsyncDisposableStack, options: ChildOptions): Promise<Child> {
  const { name, file, args = [], env } = options
  const child = fork(new URL(file, import.meta.url), args, {
    // Nothing of this process gets in: a proxy, a flag of Node or a key would change what is measured.
    env: { ...env },
    execArgv: [],
    // Its log is written as ever, to nowhere.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  const exited = once(child, 'exit')
  stack.defer(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const ended = exited.then(([code, signal]): never => {
    throw new Error(`${name} ended by itself (${signal ?? code}).`)
  })
  ended.catch(() => undefined)
  const url = String(await Promise.race([told(child), ended]))
  return {
    url,
    async ask() {
      const answer = Promise.race([told(child), ended])
      child.send('?')
      return Number(await answer)
    }
  }
}

async function told(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message')
  return message
}

/** The child's side. It ends with its parent, however that ends. */
export function answerParent(address: AddressInfo | string | null, count: () => number): void {
  if (address === null || typeof address === 'string') throw new Error('it listens on a port')
  process.on('message', () => process.send?.(count()))
  process.on('disconnect', () => process.exit())
  process.send?.(`http://127.0.0.1:${address.port}`)
}
