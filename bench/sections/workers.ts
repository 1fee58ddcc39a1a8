import { number, type Section, spread } from '../report.ts'
import { bestQuarterOf, type Lane, medianOf, runRounds, type Settings } from '../rounds.ts'
import { hasServer, storeUrls } from '../store-urls.ts'
import { ARE_TWO_FREE, MEASURED_TWO, startService, type World } from '../world.ts'

const WORKERS = [1, 2]

interface Variant {
  readonly store: string
  readonly workers: number
  readonly lane: Lane
}

/** What a second worker brings: with enough processors on the clock, otherwise by what a reply costs. */
export async function measureWorkers(world: World, settings: Settings): Promise<Section> {
  const variants = await variantsOf(world)
  const measured = await runRounds(
    variants.map(({ lane }) => lane),
    { ...world, settings }
  )
  const costs = measured.map(({ figures }) => figures.map(figure => figure.cpuMicroseconds))
  const costOf = (index: number): number => bestQuarterOf(costs[index] ?? [])
  const rateOf = (index: number): number =>
    medianOf(measured[index]?.figures.map(({ requests, seconds }) => requests / seconds) ?? [])
  const free = ARE_TWO_FREE ? 'both are measured' : 'this machine has too few processors, so replies/s include the load'
  return {
    name: 'workers',
    title: 'Workers',
    note: `WEB_CONCURRENCY workers on two processors, keyed replies, 128 connections; ${free}. A processor carries 1,000,000 / CPU µs replies a second, so "by cost" is what two give when the load leaves them free.`,
    head: ['records', 'workers', 'CPU µs', 'spread', 'replies/s', '× one', '× one, by cost'],
    rows: variants.map(({ store, workers }, index) => {
      const one = variants.findIndex(variant => variant.store === store)
      return [
        store,
        String(workers),
        number(costOf(index)),
        spread(costs[index] ?? []),
        number(rateOf(index)),
        (rateOf(index) / rateOf(one)).toFixed(2),
        ((workers * costOf(one)) / costOf(index)).toFixed(2)
      ]
    }),
    figures: measured.map(({ lane, figures }) => ({ workers: lane.name, figures }))
  }
}

async function variantsOf(world: World): Promise<Variant[]> {
  const variants: Variant[] = []
  for (const [store, STORE_URL] of await storeUrls(world, 'workers')) {
    // Processes cannot share it.
    if (store === 'memory') continue
    for (const workers of WORKERS) {
      const env = { STORE_URL, WEB_CONCURRENCY: `${workers}` }
      // A server needs a processor, too.
      const plan = { keyed: true, connections: 128, isAwake: ARE_TWO_FREE && !hasServer(store) }
      const lane = await startService(world, { name: `${store}, ${workers}`, env, plan, cores: MEASURED_TWO })
      variants.push({ store, workers, lane })
    }
  }
  return variants
}
