// `npm run demo`: everything on this machine, and a page that shows it.
import { once } from 'node:events'
import { type Command, FlagMistake, HELP, readCommand } from './command-line.ts'
import { onClosedOutput } from './terminal/closed-output.ts'
import { hasArrivedOnce, replyRequest, send } from './terminal/first-reply.ts'
import { paintFor, showAddresses, showAnswer, showInvitation, showReceived, showSent } from './terminal/show.ts'
import { type Parts, startParts } from './world/parts.ts'
import { DemoFailure } from './world/service.ts'

const EXIT_FAILED = 1
/** sysexits.h: EX_USAGE. */
const EXIT_USAGE = 64
const USER = 'alice'
/** Over what was written before on this line of a terminal. */
const CLEAR_LINE = '\r\u001b[K'

const paint = paintFor(process.stdout, process.env)
const print = (text: string): void => void process.stdout.write(text)
const printLogLine = (line: string): void => print(`${paint('dim', `  service | ${line}`)}\n`)

async function main(args: readonly string[]): Promise<number> {
  const command = readCommand(args)
  if (command.help) {
    print(HELP)
    return 0
  }
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  const endWatch = onClosedOutput(stop)
  try {
    await run(command, stopping.signal)
    return 0
  } catch (error) {
    if (stopping.signal.aborted && !command.once) return 0
    throw error
  } finally {
    endWatch()
  }
}

/** Returns when the demo is over as it should be; throws a DemoFailure when it is not. */
async function run({ port, verbose, once: endsSoon }: Command, stopping: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack()
  // For a person alone: what is piped begins with the address.
  if (process.stdout.isTTY) print('Starting ...')
  const parts = await startParts(stack, port, stopping).finally(() => process.stdout.isTTY && print(CLEAR_LINE))
  const { service } = parts
  print(showAddresses(parts, paint))
  if (verbose) await sendFirstReply(parts, stopping)
  if (endsSoon) return

  if (verbose) {
    const request = replyRequest(parts.url, await parts.provider.tokenFor(USER), 'my-own-reply', 'And on Monday?')
    print(showInvitation(request, parts.provider, paint))
    service.showLog(printLogLine)
  }
  const aborted = once(stopping, 'abort')
  if (!stopping.aborted) await Promise.race([service.died, aborted])
}

async function sendFirstReply({ emulator, provider, service, url }: Parts, stopping: AbortSignal): Promise<void> {
  const request = replyRequest(url, await provider.tokenFor(USER), 'my-first-reply', 'Yes, on Friday.')
  print(showSent(request, paint))
  const answer = await send(request, stopping)
  print(showReceived(emulator.requests, paint))
  print(showAnswer(answer, paint))
  if (!hasArrivedOnce(emulator.ledger, USER, answer)) {
    service.showLog(printLogLine)
    throw new DemoFailure(`The reply is not in CometChat exactly once, by ${USER}.`)
  }
  print(`\n${paint('green', `The reply is in CometChat exactly once, by ${USER}.`)}\n`)
}

function explain(error: unknown): string {
  if (error instanceof FlagMistake) return `${error.message} See --help.`
  return error instanceof Error ? error.message : String(error)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = error instanceof FlagMistake ? EXIT_USAGE : EXIT_FAILED
}
