// A thousand clients that are slow: what the callers beside them notice.
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pinned, program, startChild } from '../child.ts'
import { number, type Section } from '../report.ts'
import { type Typical, typicalOf } from '../typical.ts'
import { type Callers, OTHERS, startCallers, startService, type World } from '../world.ts'

export interface SlowOptions {
  readonly rounds: number
  readonly windowMs: number
}

/** Slow clients of one kind; `begin` resolves with how they end. */
interface Crowd {
  readonly name: string
  begin(): Promise<() => void>
}

const COUNT = 1000
const PER_SECOND = 200
const WARM_UP_MS = 5000
/** Until all are connected. */
const CONNECTED_AFTER_MS = 1500
const TOOL = 'slowhttptest'
const TOOL_MODES: Readonly<Record<string, readonly string[]>> = {
  'slow headers': ['-H', '-i', '1'],
  'slow bodies': ['-B', '-i', '1', '-s', '8192'],
  'slow reading': ['-X', '-k', '10', '-n', '1', '-z', '8', '-w', '64', '-y', '128']
}

export async function measureSlowClients(world: World, options: SlowOptions): Promise<Section> {
  const { subject } = await startService(world, { name: 'this service', env: ENV })
  const callers = await startCallers(world, { port: subject.port })
  await callers.offer('warm-up', WARM_UP_MS, { perSecond: PER_SECOND })
  await callers.seen()
  const rows: Row[] = []
  for (const crowd of [await rawCrowd(world, subject.port), ...toolCrowds(subject.port)]) {
    rows.push(await measureCrowd(crowd, callers, subject.pid, options))
  }
  return {
    name: 'slow',
    title: 'A thousand slow clients',
    note: `${PER_SECOND} replies a second at random times, ${options.rounds} windows of ${options.windowMs} ms alone and as many beside ${COUNT} slow clients, in turn; medians of what each window has. Open is the least number of them when a window ended.`,
    head: ['slow clients', 'open', 'refused', 'lost', 'p99 alone', 'p99 beside', '× alone'],
    rows: rows.map(({ name, open, refused, lost, alone, beside }) => [
      name,
      String(open),
      String(refused),
      String(lost),
      `${number(alone.p99Ms)} ms`,
      `${number(beside.p99Ms)} ms`,
      (beside.p99Ms / alone.p99Ms).toFixed(2)
    ]),
    figures: rows
  }
}

/** Each caller may send as much as the load wants. */
const ENV = { LIMIT_MODE: 'enforce', LIMIT_USER_PER_MINUTE: '0', LIMIT_APP_PER_MINUTE: '0' }

interface Row {
  readonly name: string
  readonly open: number
  readonly refused: number
  readonly lost: number
  readonly alone: Typical
  readonly beside: Typical
}

async function measureCrowd(crowd: Crowd, callers: Callers, pid: number, options: SlowOptions): Promise<Row> {
  let open = COUNT
  for (let round = 0; round < options.rounds; round++) {
    const before = openFiles(pid)
    await callers.offer(`alone ${round}`, options.windowMs, { perSecond: PER_SECOND })
    const end = await crowd.begin()
    await sleep(CONNECTED_AFTER_MS)
    await callers.offer(`beside ${round}`, options.windowMs, { perSecond: PER_SECOND })
    open = Math.min(open, openFiles(pid) - before)
    end()
    await sleep(CONNECTED_AFTER_MS)
  }
  const { calls } = await callers.seen()
  const of = (arm: string) => calls.filter(({ window }) => window.startsWith(arm))
  const besides = of('beside')
  const lost = besides.filter(({ status }) => status === 0).length
  const refused = besides.filter(({ status }) => status !== 201).length - lost
  return { name: crowd.name, open, refused, lost, alone: typicalOf(of('alone')), beside: typicalOf(besides) }
}

async function rawCrowd({ stack, plan: { users } }: World, port: number): Promise<Crowd> {
  if ('count' in users) throw new Error('it takes users with a token each')
  const token = users[0]?.token
  const child = await startChild(stack, { name: 'The slow clients', command: program('slow-sockets.ts'), ...OTHERS })
  return {
    name: 'of four kinds',
    async begin() {
      await child.ask('open', { port, count: COUNT, token })
      return () => void child.ask('close')
    }
  }
}

function toolCrowds(port: number): readonly Crowd[] {
  if (spawnSync(TOOL, ['-h']).error) {
    process.stderr.write(`Without ${TOOL}: it is not installed.\n`)
    return []
  }
  const url = `http://127.0.0.1:${port}/threads/100/replies`
  return Object.entries(TOOL_MODES).map(([name, mode]) => ({
    name: `${TOOL}: ${name}`,
    async begin() {
      const [file = '', ...args] = pinned(
        [TOOL, ...mode, '-c', `${COUNT}`, '-r', `${COUNT}`, '-l', '60', '-p', '60', '-v', '0', '-u', url],
        OTHERS.cores
      )
      const child = spawn(file, args, { stdio: 'ignore' })
      child.on('error', () => undefined)
      return () => void child.kill('SIGKILL')
    }
  }))
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
