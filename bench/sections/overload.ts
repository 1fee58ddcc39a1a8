// CometChat hangs while ten times as much is asked: what callers, probes and memory meet.
import { readFileSync } from 'node:fs'
import { freePort } from '../../test/helpers/free-port.ts'
import { number, type Section } from '../report.ts'
import { medianOf, p99Of } from '../rounds.ts'
import { startBareServer, startCallers, startService, type World } from '../world.ts'

export interface OverloadOptions {
  readonly perSecond: number
  readonly times: number
  readonly hangMs: number
}

const DELAY_MS = 50
const CALM_MS = 5000
/** They would be met first, and are measured elsewhere. */
const NO_QUOTA = { LIMIT_MODE: 'enforce', LIMIT_USER_PER_MINUTE: '0', LIMIT_APP_PER_MINUTE: '0' }

export async function measureOverload(world: World, { perSecond, times, hangMs }: OverloadOptions): Promise<Section> {
  const adminPort = await freePort()
  const { subject } = await startService(world, {
    name: 'this service',
    env: { ADMIN_PORT: String(adminPort), ...NO_QUOTA }
  })
  const bare = await startBareServer(world)
  const probes = { probe: { port: adminPort, path: '/readyz' }, bare: { port: bare, path: '/' } }
  const callers = await startCallers(world, { port: subject.port, probes })
  await world.outside.ask('delay', DELAY_MS)

  await callers.offer('warm-up', CALM_MS, { perSecond })
  await callers.offer('calm', 2 * CALM_MS, { perSecond })
  const rssBefore = rssMiB(subject.pid, 'VmRSS')
  await world.outside.ask('hang', true)
  await callers.offer('hang', hangMs, { perSecond: perSecond * times })
  const rssAfter = rssMiB(subject.pid, 'VmHWM')
  await world.outside.ask('hang', false)
  await callers.offer('back', CALM_MS, { perSecond })
  await callers.offer('after', 2 * CALM_MS, { perSecond })
  const seen = await callers.seen()

  const inHang = seen.calls.filter(({ window }) => window === 'hang')
  const refused = inHang.filter(({ delivery }) => delivery === 'not-sent')
  const probeP99Ms = (name: string, window: string): number =>
    p99Of(seen.probes.filter(probe => probe.name === name && probe.window === window).map(({ tookMs }) => tookMs))
  const served = (window: string): number => {
    const all = seen.calls.filter(call => call.window === window)
    return all.filter(({ status }) => status === 201).length / all.length
  }
  const figures = {
    rssMiB: rssAfter - rssBefore,
    probeP99Ms: { calm: probeP99Ms('probe', 'calm'), hang: probeP99Ms('probe', 'hang') },
    bareP99Ms: { calm: probeP99Ms('bare', 'calm'), hang: probeP99Ms('bare', 'hang') },
    refused: refused.length,
    refusalP50Ms: medianOf(refused.map(({ tookMs }) => tookMs)),
    refusalP99Ms: p99Of(refused.map(({ tookMs }) => tookMs)),
    lost: seen.calls.filter(({ status }) => status === 0).length,
    unknown: inHang.filter(({ delivery }) => delivery === 'unknown').length,
    served: { calm: served('calm'), after: served('after') }
  }
  const percent = (part: number): string => `${number(part * 100)} %`
  const both = ({ calm, hang }: { calm: number; hang: number }): string => `${number(calm)} / ${number(hang)} ms`
  return {
    name: 'overload',
    title: 'CometChat hangs under load',
    note: `${perSecond} replies a second at random times, ${times} times as many for the ${hangMs / 1000} s in which CometChat answers nothing, then as before; served after: from five seconds after its return on. Probes and callers are a process of their own, at a load that leaves both processors free. A bare server on the processor of the service is probed, too: what that takes, the machine takes. Some 50 callers are in line when CometChat ceases to answer, and are refused as this becomes known: in a minute they are no hundredth of the refusals. In doubt is what had been written when it could not be known yet.`,
    head: [
      'memory',
      'probes, p99 calm / hang',
      'of a bare server',
      'refusals',
      'refusals, p50 / p99',
      'lost',
      'in doubt',
      'served before',
      'served after'
    ],
    rows: [
      [
        `${number(figures.rssMiB)} MiB`,
        both(figures.probeP99Ms),
        both(figures.bareP99Ms),
        String(figures.refused),
        `${number(figures.refusalP50Ms)} / ${number(figures.refusalP99Ms)} ms`,
        String(figures.lost),
        String(figures.unknown),
        percent(figures.served.calm),
        percent(figures.served.after)
      ]
    ],
    figures
  }
}

function rssMiB(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const [, kiB = '0'] = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kiB) / 1024
}
