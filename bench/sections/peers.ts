import { installPeers } from '../peers/installed.ts'
import { PEERS, type Peer } from '../peers/peers.ts'
import { verifyPeer } from '../peers/verify.ts'
import { number, type Section, spread } from '../report.ts'
import { bestQuarterOf, type Measured, medianOf, runRounds, type Settings } from '../rounds.ts'
import { startPeer, startService, type World } from '../world.ts'

const OURS = {
  name: 'this service',
  title: '**this service**',
  does: 'key, path, token, user, both bodies, record, log'
}

/** What a reply costs here and elsewhere, at the most that each can take. */
export async function comparePeers(world: World, settings: Settings): Promise<Section> {
  const peers = await availablePeers(settings)
  const lanes = [await startService(world, { name: OURS.name })]
  for (const peer of peers) lanes.push(await startPeer(world, peer))
  const measured = await runRounds(lanes, { ...world, settings })
  const base = costOf(measured.find(({ lane }) => lane.name === 'bare'))
  const rows = measured
    .toSorted((a, b) => costOf(a) - costOf(b))
    .map(({ lane, figures }) => {
      const { title, does } = peers.find(({ name }) => name === lane.name) ?? OURS
      const cost = figures.map(figure => figure.cpuMicroseconds)
      return [
        title,
        does,
        number(bestQuarterOf(cost)),
        spread(cost),
        (bestQuarterOf(cost) / base).toFixed(2),
        number(medianOf(figures.map(({ requests, seconds }) => requests / seconds))),
        number(medianOf(figures.map(({ p50 }) => p50))),
        number(medianOf(figures.map(({ p99 }) => p99)))
      ]
    })
  return {
    name: 'peers',
    title: 'Against peers',
    note: `64 connections, 1,000 users, 200-byte replies, no delay upstream; ${settings.rounds} interleaved rounds. CPU µs per reply of the program's own process: the best quarter of the windows, and their spread.`,
    head: ['program', 'does', 'CPU µs', 'spread', '× bare', 'replies/s', 'p50 µs', 'p99 µs'],
    rows,
    figures: measured.map(({ lane, figures }) => ({ name: lane.name, figures }))
  }
}

/** Those that run here and were seen to do the job. */
async function availablePeers({ onProgress }: Settings): Promise<Peer[]> {
  try {
    installPeers()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  }
  const available: Peer[] = []
  for (const peer of PEERS) {
    const reason = peer.missing()
    if (reason !== undefined) {
      process.stderr.write(`Without ${peer.name}: ${reason}.\n`)
      continue
    }
    onProgress(`does ${peer.name} do the job?`)
    await verifyPeer(peer)
    available.push(peer)
  }
  return available
}

function costOf(measured: Measured | undefined): number {
  return bestQuarterOf(measured?.figures.map(figure => figure.cpuMicroseconds) ?? [])
}
