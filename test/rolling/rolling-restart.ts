// `npm run rolling-restart`: does a rolling restart lose a request?
import { parseArgs } from 'node:util'
import { optionsOrUsage } from '../helpers/command-options.ts'
import { FRONTS, type FrontName, withoutFront } from './fronts.ts'
import { type Round, runRollingRestart } from './run-rolling-restart.ts'

const USAGE = `Usage: npm run rolling-restart -- [--behind haproxy|nginx] [--rounds N] [--callers N] [--drain-delay MS] [--seed N]

Starts a local CometChat, a Redis, two instances of the service and balancers with the configuration of deploy/, lets
callers post without a pause, and tells one instance after the other to go and starts it again. Every request must be
answered 201 and its reply be in CometChat exactly once; then the exit status is 0.

  --behind NAME      haproxy or nginx (both at once, before the same instances)
  --rounds N         how often both instances are restarted (20)
  --callers N        how many callers each balancer has (16); of four replies one has no Idempotency-Key
  --drain-delay MS   DRAIN_DELAY_MS of the instances (5000)
  --seed N           of pauses and keys
`

interface Options {
  readonly fronts: readonly FrontName[]
  readonly rounds: number
  readonly callers: number
  readonly drainDelayMs: number
  readonly seed: number
}

const options = optionsOrUsage(readOptions(), USAGE)
if (options) await main(options)

async function main(options: Options): Promise<void> {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort())
  process.stdout.write(`seed ${options.seed}\n`)
  const onRound = (round: Round): void => void process.stdout.write(describe(round, options.rounds))
  const rounds = await runRollingRestart({ ...options, onRound, signal: interrupted.signal })
  for (const front of options.fronts) {
    const told = rounds.flatMap(({ behind }) => behind.filter(one => one.front === front))
    const failed = total(told, ({ failures }) => failures.length)
    process.stdout.write(
      `behind ${front}: ${rounds.length} rounds, ${total(told, ({ sent }) => sent)} sent, ${failed} failed\n`
    )
    if (failed > 0) process.exitCode = 1
  }
  const [lost, doubled] = [total(rounds, round => round.lost), total(rounds, round => round.doubled)]
  process.stdout.write(`${doubled} doubled, ${lost} lost\n`)
  if (lost + doubled > 0) process.exitCode = 1
}

function total<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0)
}

/** A line for each front. */
function describe({ number, behind, answered }: Round, rounds: number): string {
  const lines = behind.map(({ front, sent, failures }) => {
    const whys = new Set(failures.map(({ isKeyed, why }) => `${why}${isKeyed ? '' : ' without a key'}`))
    const told = whys.size === 0 ? '' : ` (${[...whys].join(', ')})`
    return `${number}/${rounds} ${front}: ${sent} sent, ${failures.length} failed${told}`
  })
  return `${lines.join('; ')}; instances had answered ${answered.join(' and ')}\n`
}

function readOptions(): Options | 'help' | string {
  try {
    const { values } = parseArgs({
      options: {
        behind: { type: 'string' },
        rounds: { type: 'string', default: '20' },
        callers: { type: 'string', default: '16' },
        'drain-delay': { type: 'string', default: '5000' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        help: { type: 'boolean', default: false }
      }
    })
    if (values.help) return 'help'
    const fronts = FRONTS.filter(name => values.behind === undefined || values.behind === name)
    if (fronts.length === 0) return `--behind takes ${FRONTS.join(' or ')}.`
    for (const name of fronts) {
      const missing = withoutFront(name)
      if (missing !== undefined) return `${missing}.`
    }
    const [rounds = 0, callers = 0, drainDelayMs = 0, seed = 0] = [
      values.rounds,
      values.callers,
      values['drain-delay'],
      values.seed
    ].map(Number)
    if (![rounds, callers, drainDelayMs, seed].every(Number.isSafeInteger) || rounds < 1 || callers < 1) {
      return '--rounds, --callers, --drain-delay and --seed take whole numbers.'
    }
    return { fronts, rounds, callers, drainDelayMs, seed }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
