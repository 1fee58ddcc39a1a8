import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { number, type Section, spread } from '../report.ts'
import { bestQuarterOf, medianOf, runRounds, type Settings } from '../rounds.ts'
import { startService, type World } from '../world.ts'

const VARIANTS: readonly (readonly [name: string, sampler: Record<string, string> | undefined])[] = [
  ['none', undefined],
  ['one in ten', { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' }],
  ['all', { OTEL_TRACES_SAMPLER: 'always_on' }]
]

/** What traces cost, sampled and not, with a receiver that takes them. */
export async function measureTraces(world: World, settings: Settings): Promise<Section> {
  const receiver = await startReceiver(world)
  const lanes = []
  for (const [name, sampler] of VARIANTS) {
    lanes.push(
      await startService(world, { name, env: sampler ? { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...sampler } : {} })
    )
  }
  const measured = await runRounds(lanes, { ...world, settings })
  if (receiver.taken() === 0) throw new Error('No span has arrived.')
  const costs = measured.map(({ figures }) => figures.map(figure => figure.cpuMicroseconds))
  const base = bestQuarterOf(costs[0] ?? [])
  return {
    name: 'traces',
    title: 'Traces',
    note: 'As above, memory, without a key. `×` is against a service without traces in the same run. The receiver is not in it.',
    head: ['traced', 'CPU µs', 'spread', '× none', 'p50 µs', 'p99 µs'],
    rows: measured.map(({ lane, figures }, index) => {
      const cost = costs[index] ?? []
      return [
        lane.name,
        number(bestQuarterOf(cost)),
        spread(cost),
        (bestQuarterOf(cost) / base).toFixed(2),
        number(medianOf(figures.map(({ p50 }) => p50))),
        number(medianOf(figures.map(({ p99 }) => p99)))
      ]
    }),
    figures: measured.map(({ lane, figures }) => ({ name: lane.name, figures }))
  }
}

async function startReceiver({ stack }: World): Promise<{ readonly url: string; taken(): number }> {
  let taken = 0
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      taken++
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  stack.defer(() => server.closeAllConnections())
  stack.defer(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken: () => taken }
}
