import { join } from 'node:path'
import { number, type Section, spread } from '../report.ts'
import { bestQuarterOf, type Lane, medianOf, runRounds, type Settings } from '../rounds.ts'
import { ARE_TWO_FREE, MEASURED_TWO, startService, type World } from '../world.ts'

const WORKERS = [1, 2]

/** What a second worker brings: with enough processors on the clock, otherwise by what a reply costs. */
export async function measureWorkers(world: World, settings: Settings): Promise<Section> {
  const lanes: Lane[] = []
  for (const workers of WORKERS) {
    const env = { STORE_URL: `file:${join(world.directory, `workers-${workers}.db`)}`, WEB_CONCURRENCY: `${workers}` }
    const plan = { keyed: true, connections: 128, isAwake: ARE_TWO_FREE }
    lanes.push(await startService(world, { name: `${workers}`, env, plan, cores: MEASURED_TWO }))
  }
  const measured = await runRounds(lanes, { ...world, settings })
  const costOf = (index: number): number =>
    bestQuarterOf(measured[index]?.figures.map(figure => figure.cpuMicroseconds) ?? [])
  const rateOf = (index: number): number =>
    medianOf(measured[index]?.figures.map(({ requests, seconds }) => requests / seconds) ?? [])
  const free = ARE_TWO_FREE ? 'both are measured' : 'this machine has too few processors, so replies/s include the load'
  return {
    name: 'workers',
    title: 'Workers',
    note: `WEB_CONCURRENCY workers on two processors, one file store, keyed replies, 128 connections; ${free}. A processor carries 1,000,000 / CPU µs replies a second, so "by cost" is what two give when the load leaves them free.`,
    head: ['workers', 'CPU µs', 'spread', 'replies/s', '× one', '× one, by cost'],
    rows: measured.map(({ figures }, index) => [
      String(WORKERS[index]),
      number(costOf(index)),
      spread(figures.map(figure => figure.cpuMicroseconds)),
      number(rateOf(index)),
      (rateOf(index) / rateOf(0)).toFixed(2),
      (((WORKERS[index] ?? 1) * costOf(0)) / costOf(index)).toFixed(2)
    ]),
    figures: measured.map(({ lane, figures }) => ({ workers: lane.name, figures }))
  }
}
