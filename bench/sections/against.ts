// This checkout beside another one: what a reply and a page of a thread cost the service of each, in turn.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { number, type Section, spread } from '../report.ts'
import { bestQuarterOf, type Lane, medianOf, runRounds, type Settings } from '../rounds.ts'
import { startService, type World } from '../world.ts'
import { readInTurn } from './reading.ts'

const LAUNCHER = join('bin', 'thread-reply-bff')

/** Throws where there is no service in this directory. */
export async function measureAgainst(world: World, settings: Settings, directory: string): Promise<Section> {
  const launcher = join(directory, LAUNCHER)
  if (!existsSync(launcher)) throw new Error(`--against names a directory without ${LAUNCHER}.`)
  const both = [{ name: 'this checkout' }, { name: 'the other', launcher }]
  const rows: string[][] = []
  const services = await Promise.all(both.map(options => startService(world, options)))
  const replies = []
  for (const keyed of [false, true]) {
    const lanes = services.map(lane => ({ ...lane, plan: { ...lane.plan, keyed } }))
    const measured = await runRounds(lanes, { ...world, settings })
    const costs = measured.map(({ figures }) => figures.map(({ cpuMicroseconds }) => cpuMicroseconds))
    const what = keyed ? 'a reply with a key' : 'a reply'
    for (const [index, { lane, figures }] of measured.entries()) {
      const cost = costs[index] ?? []
      const ratio = bestQuarterOf(cost) / bestQuarterOf(costs[1] ?? [])
      const p50 = medianOf(figures.map(figure => figure.p50))
      rows.push([what, lane.name, number(bestQuarterOf(cost)), spread(cost), ratio.toFixed(3), number(p50)])
    }
    replies.push(measured.map(({ lane, figures }) => ({ name: lane.name, keyed, figures })))
  }
  const canRead = await Promise.all(services.map(readsThreads))
  const pages = await readInTurn(
    world,
    settings,
    both.filter((_, index) => canRead[index])
  )
  const [, other] = pages.services
  for (const [index, { cpu, readMs }] of pages.services.entries()) {
    const ratio = other ? (cpu / other.cpu).toFixed(3) : ''
    rows.push(['a page', both[index]?.name ?? '', number(cpu), '', ratio, number(readMs * 1000)])
  }
  rows.push(['a page', 'CometChat alone', '', '', '', number(pages.direct.readMs * 1000)])
  return {
    name: 'against',
    title: 'Beside another checkout',
    note: 'CPU time of the service, and p50 of its callers: replies over 64 connections, 30 of 1,000 replies one after the other. `×` is against the other.',
    head: ['', '', 'CPU µs', 'spread', '×', 'p50 µs'],
    rows,
    figures: { replies, pages }
  }
}

/** An older one has no such route; where there is one it asks for a token. */
async function readsThreads({ subject: { port } }: Lane): Promise<boolean> {
  const { status } = await fetch(`http://127.0.0.1:${port}/threads/1/replies`)
  return status === 401
}
