// What a reply costs in an app of somebody else: the service and a host with the plugin, in turn.
import { number, type Section } from '../report.ts'
import { medianOf, runRounds, type Settings } from '../rounds.ts'
import { startHost, startService, type World } from '../world.ts'

export async function comparePlugin(world: World, settings: Settings): Promise<Section> {
  const lanes = [await startService(world, { name: 'service' }), await startHost(world, '/chat')]
  const measured = await runRounds(lanes, { ...world, settings })
  const [service = [], hosted = []] = measured.map(({ figures }) =>
    figures.map(({ cpuMicroseconds }) => cpuMicroseconds)
  )
  const ratios = hosted.map((cost, round) => cost / (service[round] ?? Number.NaN)).sort((a, b) => a - b)
  const [lower = Number.NaN, upper = Number.NaN] = [1, 3].map(
    quarter => ratios[Math.floor((ratios.length * quarter) / 4)]
  )
  return {
    name: 'plugin',
    title: 'A reply in a host',
    note: 'The service, and an app of Fastify with the plugin and the defaults of Fastify, each round the one after the other. CPU µs a reply; the ratio is the median of the rounds, and what lies between their quarters.',
    head: ['service', 'host', 'ratio', 'between'],
    rows: [
      [
        number(medianOf(service)),
        number(medianOf(hosted)),
        number(medianOf(ratios)),
        `${number(lower)} to ${number(upper)}`
      ]
    ],
    figures: measured.map(({ lane, figures }) => ({ name: lane.name, figures }))
  }
}
