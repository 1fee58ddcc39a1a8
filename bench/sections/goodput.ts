// More is asked than CometChat can do: how much of what it can do becomes replies.
import { number, type Section } from '../report.ts'
import { p99Of } from '../rounds.ts'
import { startCallers, startService, type World } from '../world.ts'

export interface GoodputOptions {
  readonly windowMs: number
}

/** So many at once for so long each: 160 a second. */
const CAPACITY = 8
const DELAY_MS = 50
const MOST_PER_SECOND = (CAPACITY * 1000) / DELAY_MS
const TIMES = [0.5, 0.9, 1, 2, 5, 10]
const SETTLED_AFTER_MS = 5000
const DEADLINE_MS = 5000
/** Other limits would be met first. */
const ENV = { LIMIT_USER_PER_MINUTE: '0', LIMIT_APP_PER_MINUTE: '0', REPLY_DEADLINE_MS: String(DEADLINE_MS) }

interface Figures {
  readonly times: number
  readonly offered: number
  readonly sent: number
  readonly sentP99Ms: number
  readonly refused: number
  readonly refusalP99Ms: number
  readonly unknown: number
}

export async function measureGoodput(world: World, options: GoodputOptions): Promise<Section> {
  const modes: Record<string, readonly Figures[]> = {}
  // Without the limits, to see that the load is one that can do harm.
  for (const mode of ['enforce', 'off']) modes[mode] = await measureMode(world, mode, options)
  const rows = Object.entries(modes).flatMap(([mode, all]) => {
    const peak = Math.max(...all.map(({ sent }) => sent))
    return all.map(figures => [
      mode,
      `${figures.times} ×`,
      number(figures.offered),
      number(figures.sent),
      `${number((figures.sent / peak) * 100)} %`,
      `${number(figures.sentP99Ms)} ms`,
      number(figures.refused),
      `${number(figures.refusalP99Ms)} ms`,
      number(figures.unknown)
    ])
  })
  return {
    name: 'goodput',
    title: 'Goodput under overload',
    note: `A CometChat that does ${MOST_PER_SECOND} posts a second, ${CAPACITY} at once and ${DELAY_MS} ms each, and keeps what is more waiting; callers at random times, per second, who wait ${DEADLINE_MS / 1000} s. The last column is what ends in doubt.`,
    head: ['LIMIT_MODE', 'load', 'asked', 'sent', 'of the peak', 'p99', 'refused', 'refusals, p99', 'in doubt'],
    rows,
    figures: modes
  }
}

async function measureMode(world: World, mode: string, { windowMs }: GoodputOptions): Promise<readonly Figures[]> {
  const { subject } = await startService(world, { name: `LIMIT_MODE=${mode}`, env: { ...ENV, LIMIT_MODE: mode } })
  const callers = await startCallers(world, { port: subject.port })
  await world.outside.ask('delay', DELAY_MS)
  await world.outside.ask('capacity', CAPACITY)
  const all: Figures[] = []
  for (const times of TIMES) {
    const perSecond = MOST_PER_SECOND * times
    await callers.offer('before', SETTLED_AFTER_MS, { perSecond })
    await callers.offer('measured', windowMs, { perSecond })
    const seen = await callers.seen()
    const calls = seen.calls.filter(({ window }) => window === 'measured')
    const ended = (delivery: string): readonly number[] =>
      calls.filter(call => call.delivery === delivery).map(({ tookMs }) => tookMs)
    const [sent, refused, unknown] = [ended('sent'), ended('not-sent'), ended('unknown')]
    const rate = (of: readonly unknown[]): number => (of.length * 1000) / windowMs
    all.push({
      times,
      offered: rate(calls),
      sent: rate(sent),
      sentP99Ms: p99Of(sent),
      refused: rate(refused),
      refusalP99Ms: p99Of(refused),
      unknown: rate(unknown)
    })
  }
  return all
}
