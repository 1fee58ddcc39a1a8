import { number, type Section, spread } from '../report.ts'
import { bestQuarterOf, type Lane, medianOf, runRounds, type Settings } from '../rounds.ts'
import { clusterUrls, storeUrls } from '../store-urls.ts'
import { startService, type World } from '../world.ts'

interface Variant {
  readonly store: string
  readonly isKeyed: boolean
  readonly lane: Lane
}

/** What keeping the records costs the service, with each store, without and with an Idempotency-Key. */
export async function compareStores(world: World, settings: Settings): Promise<Section> {
  const variants: Variant[] = []
  for (const [store, STORE_URL] of [...(await storeUrls(world, 'records')), ...(await clusterUrls(world))]) {
    // A server needs a processor, too.
    const service = await startService(world, { name: store, env: { STORE_URL }, plan: { isAwake: false } })
    for (const isKeyed of [false, true]) {
      const name = `${store}${isKeyed ? ' with a key' : ''}`
      variants.push({ store, isKeyed, lane: { ...service, name, plan: { ...service.plan, keyed: isKeyed } } })
    }
  }
  const measured = await runRounds(
    variants.map(({ lane }) => lane),
    { ...world, settings }
  )
  const costs = measured.map(({ figures }) => figures.map(figure => figure.cpuMicroseconds))
  const baseOf = (isKeyed: boolean): number => bestQuarterOf(costs[isKeyed ? 1 : 0] ?? [])
  const rows = variants.map(({ store, isKeyed }, index) => {
    const cost = costs[index] ?? []
    const figures = measured[index]?.figures ?? []
    return [
      store,
      isKeyed ? 'yes' : 'no',
      number(bestQuarterOf(cost)),
      spread(cost),
      (bestQuarterOf(cost) / baseOf(isKeyed)).toFixed(2),
      number(medianOf(figures.map(({ p50 }) => p50))),
      number(medianOf(figures.map(({ p99 }) => p99)))
    ]
  })
  return {
    name: 'stores',
    title: 'Delivery records',
    note: 'As above. `×` is against the memory store for the same replies. What Redis and Postgres themselves use, and the time the disk takes, are not in it.',
    head: ['records', 'key', 'CPU µs', 'spread', '× memory', 'p50 µs', 'p99 µs'],
    rows,
    figures: measured.map(({ lane, figures }) => ({ name: lane.name, figures }))
  }
}
