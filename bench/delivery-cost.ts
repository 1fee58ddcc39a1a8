import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type Cost, runRounds, warmUpRounds } from './rounds.ts'
import { tableOf } from './table.ts'
import { startParts } from './variants.ts'

const USAGE = `Usage: node bench/delivery-cost.ts [--requests N] [--rounds N] [--help]

Measures what delivery records cost: the CPU time of the service's process per reply, with each store, without and with
an Idempotency-Key, against the same service that keeps no records. Each store has a process of its own, all send to
one minimal upstream, and they take turns. What Redis itself uses, and the time the disk takes, are not in it. Ctrl-C ends it.

  --requests N  replies for each of them in each round (5000)
  --rounds N    how many rounds count (7); up to three more before them warm up
  --help        this text
`
const EXIT_FAILED = 1
/** sysexits.h: EX_USAGE. */
const EXIT_USAGE = 64
/** As a shell says it: 128 and SIGINT. */
const EXIT_INTERRUPTED = 130

const options = readOptions()
if (options === 'help') process.stdout.write(USAGE)
else if (typeof options === 'string') {
  process.stderr.write(`${options}\n\n${USAGE}`)
  process.exitCode = EXIT_USAGE
} else process.exitCode = await main(options)

interface Options {
  readonly requests: number
  readonly rounds: number
}

async function main(options: Options): Promise<number> {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  try {
    await run(options, stopping.signal)
    return 0
  } catch (error) {
    if (stopping.signal.aborted) return EXIT_INTERRUPTED
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return EXIT_FAILED
  }
}

async function run(options: Options, stopping: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const parts = await startParts(stack, stopping)
  if (parts.missing !== undefined) process.stdout.write(`Without Redis: ${parts.missing}.\n\n`)
  const costs = await runRounds(stack, parts, { ...options, stopping, onProgress: showProgress }).finally(endProgress)
  process.stdout.write(`${tableOf(costs)}\n${summaryOf(costs, options)}`)
}

function summaryOf(costs: readonly Cost[], { requests, rounds }: Options): string {
  const replies = costs.length * requests * (rounds + warmUpRounds(rounds))
  const machine = `Node ${process.versions.node}, ${availableParallelism()} cores`
  return `${machine}; the median of ${rounds} × ${requests} replies; each of ${replies} was 201 and posted once.\n`
}

/** On standard error, so that the table alone can be kept. */
function showProgress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
}

function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}

function readOptions(): Options | 'help' | string {
  try {
    const { values } = parseArgs({
      options: {
        requests: { type: 'string', default: '5000' },
        rounds: { type: 'string', default: '7' },
        help: { type: 'boolean', default: false }
      }
    })
    if (values.help) return 'help'
    const [requests, rounds] = [Number(values.requests), Number(values.rounds)]
    const isWrong = ![requests, rounds].every(number => Number.isSafeInteger(number) && number > 0)
    return isWrong ? '--requests and --rounds take whole numbers from 1.' : { requests, rounds }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
