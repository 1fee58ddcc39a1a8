// `npm run demo`: everything on this machine, one reply through the wire, and a curl for the next one.
import { once } from 'node:events'
import { type Command, FlagMistake, HELP, readCommand } from './command-line.ts'
import { hasArrivedOnce, replyRequest, send } from './first-reply.ts'
import { type Parts, startParts } from './parts.ts'
import { DemoFailure } from './service.ts'
import { paintFor, showAddresses, showAnswer, showInvitation, showReceived, showSent } from './show.ts'

const EXIT_FAILED = 1
/** sysexits.h: EX_USAGE. */
const EXIT_USAGE = 64
const USER = 'alice'

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
  // Whoever reads along may leave, as `| head` does.
  process.stdout.on('error', stop)
  try {
    await run(command, stopping.signal)
    return 0
  } catch (error) {
    if (stopping.signal.aborted && !command.once) return 0
    throw error
  }
}

/** Returns when the demo is over as it should be; throws a DemoFailure when it is not. */
async function run({ port, once: endsSoon }: Command, stopping: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const startedAtMs = performance.now()
  print('Starting a local CometChat, a token issuer and the service ...')
  const parts = await startParts(stack, port, stopping).finally(() => print('\n'))
  const { tokens, service, url, notes } = parts
  print(`Ready after ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s.\n\n${showAddresses(parts)}`)
  for (const note of notes) print(`\n${note}\n`)

  await sendFirstReply(parts, stopping)
  if (endsSoon) return

  print(showInvitation(replyRequest(url, await tokens.tokenFor(USER), 'my-own-reply', 'And on Monday?'), tokens, paint))
  service.showLog(printLogLine)
  const code = await Promise.race([service.ended, once(stopping, 'abort')])
  if (!stopping.aborted) throw new DemoFailure(`The service ended by itself with status ${code}.`)
}

async function sendFirstReply({ emulator, tokens, service, url }: Parts, stopping: AbortSignal): Promise<void> {
  const request = replyRequest(url, await tokens.tokenFor(USER), 'my-first-reply', 'Yes, on Friday.')
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
