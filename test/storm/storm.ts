import { parseArgs } from 'node:util'
import { optionsOrUsage } from '../helpers/command-options.ts'
import type { Score } from './judge.ts'
import { PAGINGS } from './meddlers.ts'
import { QUIET_MS, runStorm, type StormFacts } from './run-storm.ts'

const STORES = ['file', 'redis', 'both', 'failing-redis', 'sentinel', 'cluster', 'postgres'] as const
const PAGING_NAMES = Object.keys(PAGINGS)
const USAGE = `Usage: npm run storm -- [--replies N] [--seconds N] [--seed N] [--store NAME] [--paging NAME]

Starts a local CometChat that fails at random, two instances of the service on one Redis and one on a file, kills and
stops them at random, lets other people write, remove and edit in the threads, and lets clients send replies that they repeat as docs/delivery.md says. Ends with what was
posted twice or lost; then the exit status is 1. Ctrl-C ends it early with what it has.

  --replies N   how many replies at most (5000)
  --seconds N   for how long (60); after that everything may come to rest
  --seed N      of the faults, the kills and the clients; processes and sockets stay as random as they are
  --paging NAME how CometChat pages its threads (by the seed): ${PAGING_NAMES.join(', ')}
  --store NAME  file, redis, both, failing-redis, sentinel, cluster or postgres (both); without redis-server only the file. A
                Redis that fails and a Postgres are killed, too, and once a replica that has not received everything takes
                their place; masters that sentinels watch, or of a cluster, again and again, and slots of a cluster move
`

const options = optionsOrUsage(readOptions(), USAGE)
if (options) await main(options)

interface Options {
  readonly replies: number
  readonly seconds: number
  readonly seed: number
  readonly store: (typeof STORES)[number]
  readonly paging: string | undefined
}

async function main(options: Options): Promise<void> {
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  process.once('SIGTERM', () => interrupted.abort())
  process.stdout.write(`seed ${options.seed}\n`)
  const isTerminal = process.stdout.isTTY === true
  const onProgress = (facts: Score & StormFacts): void =>
    void process.stdout.write(isTerminal ? `\r\x1b[K${progressLine(facts)}` : `${progressLine(facts)}\n`)
  const facts = await runStorm({ ...options, signal: interrupted.signal, onProgress })
  if (isTerminal) process.stdout.write('\n')
  process.stdout.write(report(facts, options.seed, interrupted.signal.aborted))
  process.exitCode = facts.doubled + facts.lost + facts.lies.length > 0 ? 1 : 0
}

function progressLine({ seconds, replies, sent, unknown, kills, doubled, lost }: Score & StormFacts): string {
  const fate = `${sent} sent, ${unknown} under way, ${doubled} doubled, ${lost} lost`
  return `${seconds.toFixed(0).padStart(4)} s  ${replies} replies, ${fate}, ${kills} kills`
}

function report(facts: Score & StormFacts, seed: number, isInterrupted: boolean): string {
  const {
    replies,
    posts,
    sent,
    refused,
    unknown,
    doubled,
    lost,
    lies,
    kills,
    pauses,
    changes,
    paging,
    lagMs,
    missing
  } = facts
  return [
    ...(isInterrupted ? ['Interrupted: what was under way then is counted as unknown.'] : []),
    ...(missing === undefined ? [] : [`Without Redis: ${missing}.`]),
    `${replies} replies, ${posts} posts: ${sent} told as sent, ${refused} as refused, ${unknown} stayed unknown`,
    `${kills} kills, ${pauses} pauses, ${changes} changes by others, paging ${paging}, seed ${seed}; CometChat was busy for ${lagMs} ms at most`,
    ...(doubled > 0 && lagMs >= QUIET_MS
      ? [`This machine kept CometChat busy for longer than the quiet period of ${QUIET_MS} ms: try a calmer one.`]
      : []),
    ...lies.map(lie => `told wrongly: ${lie}`),
    `${doubled} doubled, ${lost} lost`,
    ''
  ].join('\n')
}

function readOptions(): Options | 'help' | string {
  try {
    const { values } = parseArgs({
      options: {
        replies: { type: 'string', default: '5000' },
        seconds: { type: 'string', default: '60' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        store: { type: 'string', default: 'both' },
        paging: { type: 'string' },
        help: { type: 'boolean', default: false }
      }
    })
    const { store, paging, help } = values
    if (help) return 'help'
    const place = STORES.find(name => name === store)
    if (place === undefined) return `--store takes one of ${STORES.join(', ')}.`
    if (paging !== undefined && !PAGING_NAMES.includes(paging)) return `--paging takes ${PAGING_NAMES.join(', ')}.`
    const [replies, seconds, seed] = [values.replies, values.seconds, values.seed].map(Number)
    if (replies === undefined || seconds === undefined || seed === undefined) return USAGE
    if (![replies, seconds, seed].every(Number.isSafeInteger) || replies < 1 || seconds < 1) {
      return '--replies, --seconds and --seed take whole numbers.'
    }
    return { replies, seconds, seed, store: place, paging }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
