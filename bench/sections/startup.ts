// How long a start takes: from the process to an answer on the public port and a 200 of /readyz.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/helpers/free-port.ts'
import { cpuMicroseconds } from '../process-time.ts'
import { number, type Section, spread } from '../report.ts'
import { medianOf } from '../rounds.ts'
import { storeUrls } from '../store-urls.ts'
import { LAUNCHER, serviceEnv, type World } from '../world.ts'

const POLL_MS = 2
const READY_WITHIN_MS = 20_000

export interface StartupOptions {
  readonly rounds: number
  readonly stopping: AbortSignal
  readonly onProgress: (text: string) => void
}

interface Start {
  readonly readyMs: number
  readonly cpuMs: number
}

export async function measureStartup(world: World, options: StartupOptions): Promise<Section> {
  const variants = await variantsOf(world)
  // The first start of each keeps what the others find.
  for (let round = 0; round <= options.rounds; round++) {
    for (const { name, env, starts } of variants) {
      options.stopping.throwIfAborted()
      options.onProgress(`${round === 0 ? 'warming up' : `start ${round} of ${options.rounds}`}: ${name}`)
      const start = await startOnce({ ...serviceEnv(world), ...env })
      if (round > 0) starts.push(start)
    }
  }
  return {
    name: 'startup',
    title: 'Time to ready',
    note: 'From the start of the process to an answer on the public port and a 200 of `/readyz`, with key sets read from an issuer. First: nothing was kept of an earlier start.',
    head: ['', 'ms', 'spread', 'CPU ms'],
    rows: variants.map(({ name, starts }) => {
      const readyMs = starts.map(start => start.readyMs)
      return [name, number(medianOf(readyMs)), spread(readyMs), number(medianOf(starts.map(({ cpuMs }) => cpuMs)))]
    }),
    figures: variants.map(({ name, starts }) => ({ name, starts }))
  }
}

async function variantsOf(world: World) {
  return (await storeUrls(world, 'startup')).flatMap(([store, url]) =>
    ['first', 'later'].map(time => ({
      name: `${store}, ${time}`,
      env: { STORE_URL: url, ...(time === 'first' && { NODE_DISABLE_COMPILE_CACHE: '1' }) },
      starts: [] as Start[]
    }))
  )
}

async function startOnce(env: Record<string, string>): Promise<Start> {
  const [port, adminPort] = [await freePort(), await freePort()]
  const startedAtMs = performance.now()
  const child = spawn(LAUNCHER, [], {
    env: { ...env, PORT: String(port), ADMIN_PORT: String(adminPort) },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const ended = once(child, 'exit')
  try {
    await untilAnswered(`http://127.0.0.1:${port}/`, startedAtMs)
    while ((await untilAnswered(`http://127.0.0.1:${adminPort}/readyz`, startedAtMs)) !== 200) await sleep(POLL_MS)
    return { readyMs: performance.now() - startedAtMs, cpuMs: cpuMicroseconds(child.pid ?? 0) / 1000 }
  } finally {
    // Not SIGKILL: what it found to keep is written by then, or at the end.
    child.kill('SIGINT')
    await ended
  }
}

async function untilAnswered(url: string, startedAtMs: number): Promise<number> {
  for (;;) {
    const status = await statusOf(url)
    if (status !== undefined) return status
    if (performance.now() - startedAtMs > READY_WITHIN_MS) throw new Error('The service was not ready in time.')
    await sleep(POLL_MS)
  }
}

function statusOf(url: string): Promise<number | undefined> {
  return new Promise(resolve => {
    get(url, { agent: false }, answer => resolve(answer.resume().statusCode)).on('error', () => resolve(undefined))
  })
}
