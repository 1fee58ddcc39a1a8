// What the service holds: at rest, under load, and for each reply that waits for a CometChat that does not answer.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/helpers/free-port.ts'
import { startChild } from '../child.ts'
import { residentMiB } from '../process-time.ts'
import { number, type Section } from '../report.ts'
import type { Lane } from '../rounds.ts'
import { untilItAnswers } from '../subjects.ts'
import { openWaiting } from '../waiting.ts'
import { LAUNCHER, preload, serviceEnv, startService, type World } from '../world.ts'

const MIB = 1024 * 1024
const KIB = 1024
const SAMPLE_MS = 200
/** The waiting are answered when it is over; before that they must all have come in and been measured. */
const DEADLINE_MS = 14_000
/** Read, claimed and queued: what is new by then stays until the end. */
const SETTLING_MS = 2500
/** So many of all are there before the others are counted. */
const PARTS = 5

export interface MemoryOptions {
  readonly waiting: number
  readonly waves: number
  readonly loadMs: number
  readonly stopping: AbortSignal
  readonly onProgress: (text: string) => void
}

interface Wave {
  readonly residentKiB: number
  readonly heapKiB: number
  /** After all were answered, in MiB. */
  readonly residentAfter: number
  readonly heapAfter: number
}

export async function measureMemory(world: World, options: MemoryOptions): Promise<Section> {
  const rows: string[][] = []
  const figures: object[] = []
  for (const store of ['memory', 'file'] as const) {
    const urlOf = (use: string) => (store === 'memory' ? 'memory:' : `file:${join(world.directory, `${use}.db`)}`)
    options.onProgress(`load: ${store}`)
    const lane = await startService(world, { name: store, env: { STORE_URL: urlOf('load') } })
    const load = await residentUnder(lane, world, options.loadMs)
    options.onProgress(`waiting: ${store}`)
    const waves = await residentWaiting(world, urlOf('waiting'), options)
    const [first] = waves
    const last = waves.at(-1)
    if (!first || !last) throw new Error('--waves takes a number from 1.')
    const waiting = [first.residentKiB, first.heapKiB, first.residentAfter, last.residentAfter, last.heapAfter]
    rows.push([store, ...[load.idle, load.most, ...waiting].map(number)])
    figures.push({ store, load, waves })
  }
  const { waiting, waves, loadMs } = options
  return {
    name: 'memory',
    title: 'Memory',
    note: `Resident, in MiB: when ready, at most in ${loadMs / 1000} s of 64 connections without a pause, and after waves of ${number(waiting)} replies that waited for a CometChat that did not answer. Each of them beyond the first fifth, in KiB: resident, and heap.`,
    head: [
      'store',
      'ready',
      'under load',
      'KiB a waiting reply',
      'of it heap',
      'after a wave',
      `after ${waves}`,
      'heap then'
    ],
    rows,
    figures
  }
}

async function residentUnder({ subject, plan }: Lane, { outside }: World, durationMs: number) {
  const idle = residentMiB(subject.pid)
  await outside.ask('open', { ...plan, port: subject.port })
  let most = idle
  const sampling = setInterval(() => {
    most = Math.max(most, residentMiB(subject.pid))
  }, SAMPLE_MS)
  await outside.ask('run', { durationMs })
  clearInterval(sampling)
  await outside.ask('close')
  return { idle, most }
}

async function residentWaiting(world: World, storeUrl: string, options: MemoryOptions): Promise<Wave[]> {
  await using stack = new AsyncDisposableStack()
  const port = await freePort()
  const service = await startChild(stack, {
    name: 'The service that waits',
    command: [LAUNCHER],
    env: {
      ...serviceEnv(world),
      ...preload('memory-probe.ts'),
      PORT: String(port),
      STORE_URL: storeUrl,
      REPLY_DEADLINE_MS: String(DEADLINE_MS)
    }
  })
  await untilItAnswers('The service that waits', port)
  const memory = (): Promise<NodeJS.MemoryUsage> => service.ask('memory')
  await world.outside.ask('hang', true)
  stack.defer(() => world.outside.ask('hang', false))
  const waves: Wave[] = []
  while (waves.length < options.waves) {
    options.stopping.throwIfAborted()
    // A heap that grows for the first of them does not grow for each.
    const first = await openWaiting(port, options.waiting / PARTS, world.plan)
    await sleep(SETTLING_MS)
    const before = await memory()
    const rest = await openWaiting(port, options.waiting - options.waiting / PARTS, world.plan)
    await sleep(SETTLING_MS)
    const during = await memory()
    const answers = (): number => first.answers() + rest.answers()
    if (answers() > 0) throw new Error(`${answers()} replies did not wait: the figure would be of fewer.`)
    await Promise.all([first.answered, rest.answered])
    if (answers() !== options.waiting) throw new Error(`${answers()} answers for ${options.waiting} replies.`)
    const after = await memory()
    const each = (name: 'rss' | 'heapUsed'): number =>
      (during[name] - before[name]) / (options.waiting - options.waiting / PARTS) / KIB
    waves.push({
      residentKiB: each('rss'),
      heapKiB: each('heapUsed'),
      residentAfter: after.rss / MIB,
      heapAfter: after.heapUsed / MIB
    })
  }
  return waves
}
