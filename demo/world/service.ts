// The service as a process of its own, started by the launcher that production uses.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface ServiceAddresses {
  readonly url: string
  readonly adminUrl: string
}

/** Something that the reader of the terminal can act on: shown as it is, without a stack. */
export class DemoFailure extends Error {}

const LAUNCHER = fileURLToPath(new URL('../../bin/thread-reply-bff', import.meta.url))
/** A machine may be busy with other things. */
const READY_WITHIN_MS = 60_000
const STOPS_WITHIN_MS = 5000
const POLL_MS = 50

/** Starts the process; `ready` says when it can be called, and why it cannot. */
export function spawnService(env: NodeJS.ProcessEnv) {
  // A group of its own: the terminal's Ctrl-C reaches the demo alone, which then ends the service in order.
  const child = spawn(LAUNCHER, [], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const killChild = () => void child.kill('SIGKILL')
  process.once('exit', killChild)

  const addresses = Promise.withResolvers<ServiceAddresses>()
  const lines: string[] = []
  let show: ((line: string) => void) | undefined
  createInterface({ input: child.stdout }).on('line', line => {
    lines.push(line)
    show?.(line)
    if (line.includes('"msg":"listening"')) addresses.resolve(JSON.parse(line) as ServiceAddresses)
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk
  })
  child.once('error', error => {
    errors += error.message
  })
  // 'close', not 'exit': by then everything it said has been read.
  const ended = new Promise<number | null>(resolve => {
    child.once('close', resolve)
  })

  return {
    /** Resolves with the exit status when the process is gone. */
    ended,

    /** Resolves when `/readyz` says so; throws a DemoFailure with what the service said when it never does. */
    async ready(stopping: AbortSignal): Promise<ServiceAddresses> {
      const late = AbortSignal.timeout(READY_WITHIN_MS)
      const died = ended.then(code => {
        throw new DemoFailure(`The service ended with status ${code}.\n\n${withoutFrames(errors)}`.trimEnd())
      })
      const tooLate = rejectedBy(late, new DemoFailure(`The service was not ready within ${READY_WITHIN_MS} ms.`))
      const stopped = rejectedBy(stopping, new DemoFailure('Stopped before the service was ready.'))
      const isReady = async () => {
        const found = await addresses.promise
        while (!(await isOk(`${found.adminUrl}/readyz`, stopping)))
          await sleep(POLL_MS, undefined, { signal: stopping })
        return found
      }
      return Promise.race([isReady(), died, tooLate, stopped])
    },

    /** Shows the log from its first line on, and every line that follows. */
    showLog(print: (line: string) => void): void {
      for (const line of lines) print(line)
      show = print
    },

    /** Ends it at once, as `kill -9` does. */
    async kill(): Promise<void> {
      killChild()
      await ended
      process.off('exit', killChild)
    },

    /** Asks it to end, then makes it. */
    async stop(): Promise<void> {
      const overdue = setTimeout(killChild, STOPS_WITHIN_MS)
      child.kill('SIGINT')
      await ended
      clearTimeout(overdue)
      process.off('exit', killChild)
    }
  }
}

async function isOk(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { signal }).catch(() => undefined)
  return response?.ok === true
}

/** Whoever tries the demo can do nothing about the lines of a stack. */
function withoutFrames(text: string): string {
  return text.replaceAll(/^ +at .*\n/gm, '')
}

function rejectedBy(signal: AbortSignal, reason: Error): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(reason))
  })
}
