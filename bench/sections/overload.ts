// CometChat hangs while ten times as much is asked: what callers, probes and memory meet.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/helpers/free-port.ts'
import { number, type Section } from '../report.ts'
import { startService, type World } from '../world.ts'

export interface OverloadOptions {
  readonly perSecond: number
  readonly times: number
  readonly hangMs: number
}

interface Answer {
  readonly atMs: number
  readonly tookMs: number
  readonly status: number
  readonly delivery: string
}

const DELAY_MS = 50
const CALM_MS = 5000
const PROBE_EVERY_MS = 100
/** They would be met first, and are measured elsewhere. */
const NO_QUOTA = { LIMIT_MODE: 'enforce', LIMIT_USER_PER_MINUTE: '0', LIMIT_APP_PER_MINUTE: '0' }

export async function measureOverload(world: World, { perSecond, times, hangMs }: OverloadOptions): Promise<Section> {
  const adminPort = await freePort()
  const env = { ADMIN_PORT: String(adminPort), ...NO_QUOTA }
  const { subject } = await startService(world, { name: 'this service', env })
  await world.outside.ask('delay', DELAY_MS)
  const callers = new Callers(world, subject.port)
  const probes = new Probes(adminPort)

  await callers.offer(perSecond, CALM_MS)
  const calmFromMs = performance.now()
  await callers.offer(perSecond, CALM_MS)
  const rssBefore = rssMiB(subject.pid)
  const hungAtMs = performance.now()
  await world.outside.ask('hang', true)
  await callers.offer(perSecond * times, hangMs)
  const rssAfter = rssMiB(subject.pid, 'VmHWM')
  await world.outside.ask('hang', false)
  const backAtMs = performance.now()
  await callers.offer(perSecond, 2 * CALM_MS)
  await callers.idle()
  probes.end()

  const inHang = callers.between(hungAtMs, backAtMs)
  const refused = inHang.filter(({ delivery }) => delivery === 'not-sent').map(({ tookMs }) => tookMs)
  const share = (fromMs: number, toMs: number): number => {
    const all = callers.between(fromMs, toMs)
    return all.filter(({ status }) => status === 201).length / all.length
  }
  const figures = {
    rssMiB: rssAfter - rssBefore,
    probeP99Ms: p99(probes.tookMs),
    refused: refused.length,
    refusalP99Ms: p99(refused),
    lost: callers.lost,
    unknown: inHang.filter(({ delivery }) => delivery === 'unknown').length,
    servedBefore: share(calmFromMs, hungAtMs),
    servedAfter: share(backAtMs + CALM_MS, backAtMs + 2 * CALM_MS)
  }
  const percent = (part: number): string => `${number(part * 100)} %`
  return {
    name: 'overload',
    title: 'CometChat hangs under load',
    note: `${perSecond} replies a second at random times, ${times} times as many for the ${hangMs / 1000} s in which CometChat answers nothing, then as before; served after: from five seconds after its return on. In doubt is what had been written when it could not be known yet.`,
    head: ['memory', 'probes, p99', 'refusals', 'refusals, p99', 'lost', 'in doubt', 'served before', 'served after'],
    rows: [
      [
        `${number(figures.rssMiB)} MiB`,
        `${number(figures.probeP99Ms)} ms`,
        String(figures.refused),
        `${number(figures.refusalP99Ms)} ms`,
        String(figures.lost),
        String(figures.unknown),
        percent(figures.servedBefore),
        percent(figures.servedAfter)
      ]
    ],
    figures
  }
}

/** Arrivals at random times, each with a connection as long as it needs one. */
class Callers {
  readonly #answers: Answer[] = []
  readonly #agent = new Agent({ keepAlive: true })
  readonly #underWay = new Set<Promise<void>>()
  readonly #options: { readonly port: number; readonly path: string; readonly method: 'POST' }
  readonly #tokens: readonly string[]
  readonly #body: string
  #turn = 0
  lost = 0

  constructor({ plan }: World, port: number) {
    if ('count' in plan.users) throw new Error('it takes users with a token each')
    this.#tokens = plan.users.map(({ token }) => token)
    this.#options = { port, path: plan.path, method: 'POST' }
    this.#body = plan.body
  }

  async offer(perSecond: number, forMs: number): Promise<void> {
    const endsAtMs = performance.now() + forMs
    let nextAtMs = performance.now()
    while (nextAtMs < endsAtMs) {
      const waitMs = nextAtMs - performance.now()
      if (waitMs > 0) await sleep(waitMs)
      while (nextAtMs <= performance.now() && nextAtMs < endsAtMs) {
        nextAtMs += (-Math.log(1 - Math.random()) * 1000) / perSecond
        const call = this.#call().finally(() => this.#underWay.delete(call))
        this.#underWay.add(call)
      }
    }
  }

  between(fromMs: number, toMs: number): readonly Answer[] {
    return this.#answers.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
  }

  async idle(): Promise<void> {
    await Promise.all(this.#underWay)
    this.#agent.destroy()
  }

  #call(): Promise<void> {
    const atMs = performance.now()
    const token = this.#tokens[this.#turn++ % this.#tokens.length]
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    return new Promise(resolve => {
      const call = request({ ...this.#options, headers, agent: this.#agent }, async answer => {
        const chunks: Buffer[] = []
        for await (const chunk of answer) chunks.push(chunk)
        const { delivery = 'sent' } = JSON.parse(Buffer.concat(chunks).toString())
        this.#answers.push({ atMs, tookMs: performance.now() - atMs, status: answer.statusCode ?? 0, delivery })
        resolve()
      })
      // A connection that did not come about, or that ended while it was idle: no answer of the service.
      call.on('error', () => {
        this.lost++
        resolve()
      })
      call.end(this.#body)
    })
  }
}

class Probes {
  readonly tookMs: number[] = []
  readonly #timer: NodeJS.Timeout

  constructor(port: number) {
    this.#timer = setInterval(async () => {
      const startedAtMs = performance.now()
      await (await fetch(`http://127.0.0.1:${port}/readyz`)).arrayBuffer()
      this.tookMs.push(performance.now() - startedAtMs)
    }, PROBE_EVERY_MS)
  }

  end(): void {
    clearInterval(this.#timer)
  }
}

function rssMiB(pid: number, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const [, kiB = '0'] = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kiB) / 1024
}

function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0
}
