// How the bench and its own processes speak: the parent asks for a thing by name, the child answers with JSON.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Child {
  readonly pid: number
  /** What the child said when it was ready. */
  readonly hello: string
  ask<T>(name: string, argument?: unknown): Promise<T>
}

export interface ChildOptions {
  readonly name: string
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Processors it may use, as taskset lists them. */
  readonly cores?: string
}

type Answer = { readonly id: number; readonly value?: unknown; readonly problem?: string }
type Handlers = Readonly<Record<string, (argument: never) => unknown>>

/** Starts a process that ends with the stack; every question is rejected when it ends by itself. */
export async function startChild(stack: AsyncDisposableStack, options: ChildOptions): Promise<Child> {
  const { name, env = {}, cores } = options
  const [file = '', ...args] = pinned(options.command, cores)
  const child = spawn(file, args, {
    // Nothing of this process gets in: a proxy, a flag of Node or a key would change what is measured.
    env: { ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  const ended = once(child, 'exit').then(([code, signal]): never => {
    throw new Error(`${name} ended by itself (${signal ?? code}).`)
  })
  ended.catch(() => undefined)
  stack.defer(async () => {
    child.kill('SIGKILL')
    await ended.catch(() => undefined)
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  const hello = await Promise.race([greeting(child), ended])
  child.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer))
  let questions = 0
  return {
    pid: child.pid ?? 0,
    hello,
    async ask<T>(question: string, argument?: unknown): Promise<T> {
      const id = questions++
      const { promise, resolve } = Promise.withResolvers<Answer>()
      waiting.set(id, resolve)
      child.send({ id, question, argument })
      const { value, problem } = await Promise.race([promise, ended]).finally(() => waiting.delete(id))
      if (problem !== undefined) throw new Error(`${name}: ${problem}`)
      return value as T
    }
  }
}

/** A program of the bench itself, by its name beside this file. */
export function program(file: string): string[] {
  return [process.execPath, fileURLToPath(new URL(file, import.meta.url))]
}

/** A command that runs on some processors only, where the system can do that. */
export function pinned(command: readonly string[], cores: string | undefined): string[] {
  return cores === undefined || process.platform !== 'linux' ? [...command] : ['taskset', '-c', cores, ...command]
}

async function greeting(child: ChildProcess): Promise<string> {
  const [message] = await once(child, 'message')
  return String(message)
}

/** The child's side. It ends with its parent, however that ends. */
export function answerParent(hello: string, handlers: Handlers): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ id, question, argument }: { id: number; question: string; argument: unknown }) => {
    try {
      process.send?.({ id, value: await handlers[question]?.(argument as never) })
    } catch (error) {
      process.send?.({ id, problem: error instanceof Error ? error.message : String(error) })
    }
  })
  process.send?.(hello)
}
