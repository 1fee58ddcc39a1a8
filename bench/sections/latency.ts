import { PEERS } from '../peers/peers.ts'
import { number, type Section } from '../report.ts'
import { medianOf, runRounds, type Settings } from '../rounds.ts'
import { directLane, startPeer, startService, type World } from '../world.ts'

const PER_SECOND = 500
const DELAYS_MS = [0, 20]
const QUANTILES = ['p50', 'p90', 'p99'] as const
const COMPARED = ['bare', 'haproxy']

/** How much longer a reply takes than a direct call, when nobody is in a hurry. */
export async function measureLatency(world: World, settings: Settings): Promise<Section> {
  const lanes = [directLane(world), await startService(world, { name: 'this service' })]
  for (const peer of PEERS) {
    if (COMPARED.includes(peer.name) && peer.missing() === undefined) lanes.push(await startPeer(world, peer))
  }
  // At full speed, or V8 would go on compiling for minutes: what is told is how replies fare every day, not the first.
  await runRounds(lanes, { ...world, settings: { ...settings, rounds: 0 } })
  const rows: string[][] = lanes.slice(1).map(({ name }) => [name])
  const all: unknown[] = []
  for (const delayMs of DELAYS_MS) {
    await world.outside.ask('delay', delayMs)
    const measured = await runRounds(lanes, { ...world, settings, perSecond: PER_SECOND })
    const typical = measured.map(({ figures }) => QUANTILES.map(name => medianOf(figures.map(figure => figure[name]))))
    for (const [index, row] of rows.entries()) {
      const added = QUANTILES.map((_, at) => Math.max(0, (typical[index + 1]?.[at] ?? 0) - (typical[0]?.[at] ?? 0)))
      row.push(added.map(number).join(' / '))
    }
    all.push({ delayMs, lanes: measured.map(({ lane, figures }) => ({ name: lane.name, figures })) })
  }
  await world.outside.ask('delay', 0)
  return {
    name: 'latency',
    title: 'Latency added over a direct call',
    note: `${PER_SECOND} replies a second at random times (a Poisson process), µs added to p50 / p90 / p99 of the same call without anything between; medians of ${settings.rounds} rounds.`,
    head: ['program', ...DELAYS_MS.map(delayMs => `${delayMs} ms upstream`)],
    rows,
    figures: all
  }
}
