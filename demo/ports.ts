// Ports that stay the same from one start to the next, so that a tab that was left open finds the demo again.
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

const MAX_PORT = 65_535

/** What listens where, in the order of the ports. */
export const LISTENERS = ['service', 'probes', 'page', 'sign-in', 'CometChat'] as const
export type Listener = (typeof LISTENERS)[number]

export interface ChosenPort {
  readonly wanted: number
  readonly port: number
}

/** One port for each, counted up from the first; a free one where that is taken, and for all of them with 0. */
export async function choosePorts(first: number): Promise<Readonly<Record<Listener, ChosenPort>>> {
  const chosen = new Map<Listener, ChosenPort>()
  const probes: Server[] = []
  for (const [index, listener] of LISTENERS.entries()) {
    const wanted = first === 0 || first + index > MAX_PORT ? 0 : first + index
    const probe = await bind(wanted).catch(() => bind(0))
    const address = probe.address()
    const port = typeof address === 'object' && address !== null ? address.port : wanted
    // Held until all are chosen, so that none is given twice.
    probes.push(probe)
    chosen.set(listener, { wanted, port })
  }
  await Promise.all(probes.map(release))
  return Object.fromEntries(chosen) as Record<Listener, ChosenPort>
}

async function bind(wanted: number): Promise<Server> {
  const probe = createServer().listen(wanted, '127.0.0.1')
  await once(probe, 'listening')
  return probe
}

async function release(probe: Server): Promise<void> {
  const closed = once(probe, 'close')
  probe.close()
  await closed
}

/** What to say of a port that is not the wanted one. */
export function takenNote({ wanted, port }: ChosenPort): string {
  return wanted === 0 || wanted === port ? '' : ` (${wanted} is taken)`
}
