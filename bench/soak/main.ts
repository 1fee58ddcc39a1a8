import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { optionsOrUsage } from '../../test/helpers/command-options.ts'
import { machineLine } from '../machine.ts'
import type { Stretch } from './figures.ts'
import { STORES, type StoreName } from './places.ts'
import { plotOf } from './plot.ts'
import { type Finding, findingsOf, tableOf, totalOf } from './report.ts'
import { runSoak } from './run-soak.ts'

const RESULTS = fileURLToPath(new URL('../results', import.meta.url))
const USAGE = `Usage: npm run soak -- [--store ${STORES.join('|')}] [--minutes N] [--per-second N] [--faults PERCENT]
                     [--results DIR]

Sends replies with an Idempotency-Key to the service, at random times and each once, for as long as is asked for, and says
what grows and what becomes slower. With --store postgres a snapshot is held meanwhile, as a long pg_dump does. Ctrl-C ends
it with what it has. The exit status is 1 where something was not reached. Linux only.

  --store NAME   where the records are (file)
  --minutes N    for how long (20), after a warm-up that does not count
  --per-second N how many replies (500)
  --faults PERCENT of the posts meet one at CometChat: an error, a lost answer, half of one (0)
  --results DIR  where the figures of every stretch are left, and a picture of them (bench/results)
  --help         this text
`

interface Options {
  readonly store: StoreName
  readonly minutes: number
  readonly perSecond: number
  readonly faultPercent: number
  readonly results: string
}

const options = optionsOrUsage(readOptions(), USAGE)
if (options) process.exitCode = await main(options)

async function main({ store, minutes, perSecond, faultPercent, results }: Options): Promise<number> {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  const machine = machineLine()
  process.stdout.write(`${machine} ${perSecond} replies a second for ${minutes} minutes, records: ${store}.\n`)
  try {
    if (process.platform !== 'linux') throw new Error('It reads CPU times from /proc, which only Linux has.')
    const onStretch = (stretches: readonly Stretch[]): void => showProgress(progressLine(stretches))
    const forMs = minutes * 60_000
    const soak = await runSoak({ store, perSecond, forMs, faultPercent, stopping: stopping.signal, onStretch })
    if (process.stderr.isTTY) process.stderr.write('\n')
    const findings = findingsOf(soak)
    const isInterrupted = stopping.signal.aborted
    process.stdout.write(report(tableOf(soak), findings, isInterrupted))
    mkdirSync(results, { recursive: true })
    const kept = { machine, store, perSecond, minutes, isInterrupted, ...soak, findings }
    writeFileSync(join(results, `soak-${store}.json`), `${JSON.stringify(kept, undefined, 1)}\n`)
    writeFileSync(join(results, `soak-${store}.svg`), plotOf(soak.stretches, `${minutes} minutes, ${machine}`))
    return findings.every(({ isReached }) => isReached) ? 0 : 1
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

function progressLine(stretches: readonly Stretch[]): string {
  const { replies, failed } = totalOf(stretches)
  const last = stretches.at(-1)
  if (!last) return ''
  const times = `p99 ${last.p99Ms.toFixed(1)} ms, of the claim ${last.claimP99Ms.toFixed(1)} ms`
  const soFar = `${replies.toLocaleString('en-US')} replies, ${failed} failed`
  return `${last.atSeconds.toFixed(0).padStart(5)} s  ${soFar}; ${times}; ${last.residentMiB.toFixed(0)} MiB`
}

function report(table: string, findings: readonly Finding[], isInterrupted: boolean): string {
  const interrupted = isInterrupted ? 'Interrupted: this is what there was until then.\n' : ''
  const lines = findings.map(({ what, isReached }) => `${isReached ? 'reached    ' : 'NOT REACHED'}  ${what}\n`)
  return `${interrupted}\n${table}\n${lines.join('')}`
}

/** On standard error, so that the result alone can be kept. */
function showProgress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
}

function readOptions(): Options | 'help' | string {
  try {
    const { values } = parseArgs({
      options: {
        store: { type: 'string', default: 'file' },
        minutes: { type: 'string', default: '20' },
        'per-second': { type: 'string', default: '500' },
        faults: { type: 'string', default: '0' },
        results: { type: 'string', default: RESULTS },
        help: { type: 'boolean', default: false }
      }
    })
    if (values.help) return 'help'
    const store = STORES.find(name => name === values.store)
    if (store === undefined) return `--store takes one of ${STORES.join(', ')}.`
    const [minutes, perSecond] = [Number(values.minutes), Number(values['per-second'])]
    const faultPercent = Number(values.faults)
    if (!(minutes > 0 && perSecond > 0)) return '--minutes and --per-second take numbers above 0.'
    if (!(faultPercent >= 0 && faultPercent <= 100)) return '--faults takes a number from 0 to 100.'
    return { store, minutes, perSecond, faultPercent, results: values.results }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
