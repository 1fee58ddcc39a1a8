// What reading a thread takes beyond CometChat's own answer: a page of thirty of a thousand replies, in turn with the same
// call without anything between. CometChat is the emulator, in this process, so what it takes is in both.
import { setTimeout as sleep } from 'node:timers/promises'
import { createCometChatEmulator } from '../../emulator/cometchat-emulator.ts'
import { createRandom } from '../../emulator/random.ts'
import { freePort } from '../../test/helpers/free-port.ts'
import { program } from '../child.ts'
import { cpuMicroseconds } from '../process-time.ts'
import { number, type Section } from '../report.ts'
import { medianOf, type Settings } from '../rounds.ts'
import { type Subject, startProgram } from '../subjects.ts'
import { type ServiceOptions, startService, type World } from '../world.ts'

const REPLIES = 1000
const READS = 200
/** V8 compiles for some thousand reads. */
const WARM_UP = 3000
const MS = 1000
/** Callers at the same time, each of whom thinks between two reads: what is measured is not how long they wait for each other. */
const CALLERS = 8
const THINKS_AT_MOST_MS = 80

/** In milliseconds, and microseconds of the service's process. */
export interface Read {
  /** By one caller, one after the other. */
  readonly readMs: number
  /** By several callers at the same time. */
  readonly togetherMs: number
  readonly cpu: number
}

export interface Reads {
  readonly direct: Omit<Read, 'cpu'>
  readonly passed: Read
  readonly services: readonly Read[]
  readonly count: number
}

export async function measureReading(world: World, settings: Settings): Promise<Section> {
  const { direct, passed, services, count } = await readInTurn(world, settings, [{ name: 'this service' }])
  const added = ({ readMs, togetherMs, cpu }: Read) => [
    number(readMs),
    number(readMs - direct.readMs),
    number(togetherMs),
    number(togetherMs - direct.togetherMs),
    number(cpu)
  ]
  return {
    name: 'reading',
    title: 'A page of a thread',
    note: `30 of ${REPLIES.toLocaleString('en-US')} replies, ${count.toLocaleString('en-US')} times, in turn with the same call to CometChat, by one caller and by ${CALLERS} at the same time, who think for up to ${THINKS_AT_MOST_MS} ms in between; p50 in milliseconds, and the processor time of the program. The pass-through is Fastify and undici, and does nothing else; the limits are off.`,
    head: ['', 'p50 ms', 'added', `p50 of ${CALLERS} callers`, 'added', 'CPU µs'],
    rows: [
      ['CometChat alone', number(direct.readMs), '', number(direct.togetherMs), '', ''],
      ['a pass-through', ...added(passed)],
      ...services.map(read => ['this service', ...added(read)])
    ],
    figures: { direct, passed, services }
  }
}

interface Lane {
  readonly read: () => Promise<number>
  /** Undefined for CometChat itself. */
  readonly pid?: number
}

/** The same page, by each service and without one, over and over. */
export async function readInTurn(world: World, settings: Settings, started: readonly ServiceOptions[]): Promise<Reads> {
  const [user] = world.issuer.users(1)
  if (!user) throw new Error('it takes a user')
  const { url, apiKey, parentId, lastPath } = await startThread(world, user.uid)
  const env = { COMETCHAT_BASE_URL: url, COMETCHAT_API_KEY: apiKey }
  const lanes: Lane[] = []
  for (const options of started) {
    const { subject } = await startService(world, { ...options, env: { ...env, ...options.env } })
    const page = `http://127.0.0.1:${subject.port}/threads/${parentId}/replies`
    const read = () => taken(page, { authorization: `Bearer ${user.token}` })
    lanes.push({ read, pid: subject.pid })
    await warmUp(read)
  }
  const path = lastPath()
  const direct: Lane = { read: () => taken(url + path, { apikey: apiKey, onBehalfOf: user.uid }) }
  await warmUp(direct.read)
  const passing = await startPassThrough(world, { UPSTREAM_URL: url, API_KEY: apiKey, ON_BEHALF_OF: user.uid })
  const passed: Lane = { read: () => taken(`http://127.0.0.1:${passing.port}${path}`, {}), pid: passing.pid }
  await warmUp(passed.read)
  const [alone = NOT_READ, through = NOT_READ, ...services] = await takeTurns([direct, passed, ...lanes], settings)
  return { direct: alone, passed: through, services, count: settings.rounds * READS }
}

const NOT_READ: Read = { readMs: Number.NaN, togetherMs: Number.NaN, cpu: Number.NaN }

async function warmUp(read: Lane['read']): Promise<void> {
  for (let count = 0; count < WARM_UP; count += CALLERS) await Promise.all(Array.from({ length: CALLERS }, read))
}

async function startPassThrough({ stack }: World, env: Record<string, string>): Promise<Subject> {
  const port = await freePort()
  const command = program('peers/bare.ts')
  return startProgram(stack, { name: 'a pass-through', command, env: { PORT: String(port), ...env }, port })
}

async function startThread({ stack }: World, uid: string) {
  const emulator = createCometChatEmulator({ seed: 1 })
  const { url } = await emulator.start()
  stack.defer(() => emulator.stop())
  for (const name of [uid, 'bob']) emulator.addUser({ uid: name, name })
  const { id: parentId } = emulator.addMessage({ sender: 'bob', receiver: uid, receiverType: 'user' })
  for (let reply = 0; reply < REPLIES; reply++) {
    emulator.addMessage({ sender: 'bob', receiver: uid, receiverType: 'user', parentId, text: `Reply ${reply}` })
  }
  const lastPath = (): string => {
    const asked = emulator.requests.at(-1)
    if (!asked) throw new Error('CometChat was not asked')
    return asked.path
  }
  return { url, apiKey: emulator.apiKey, parentId, lastPath }
}

async function takeTurns(lanes: readonly Lane[], { rounds, stopping, onProgress }: Settings): Promise<readonly Read[]> {
  const random = createRandom(1)
  const taken = lanes.map(lane => ({ ...lane, tookMs: [] as number[], togetherMs: [] as number[], cpu: 0 }))
  const used = ({ pid }: Lane): number => (pid === undefined ? 0 : cpuMicroseconds(pid))
  for (let round = 1; round <= rounds; round++) {
    stopping.throwIfAborted()
    onProgress(`round ${round} of ${rounds}`)
    const before = taken.map(used)
    // There and back, so that nobody always comes after the same one.
    for (let count = 0; count < READS / 2; count++) {
      for (const { read, tookMs } of [...taken, ...taken.toReversed()]) tookMs.push(await read())
    }
    for (const [index, lane] of taken.entries()) lane.cpu += used(lane) - (before[index] ?? 0)
    for (const { read, togetherMs } of [...taken, ...taken.toReversed()]) {
      togetherMs.push(...(await readTogether(read, READS / 2, random)))
    }
  }
  return taken.map(({ tookMs, togetherMs, cpu }) => ({
    readMs: medianOf(tookMs),
    togetherMs: medianOf(togetherMs),
    cpu: cpu / tookMs.length
  }))
}

async function readTogether(read: Lane['read'], reads: number, random: () => number): Promise<readonly number[]> {
  const tookMs: number[] = []
  const call = async (): Promise<void> => {
    for (let count = 0; count < reads / CALLERS; count++) {
      await sleep(random() * THINKS_AT_MOST_MS)
      tookMs.push(await read())
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, call))
  return tookMs
}

/** Milliseconds from the call to the end of its answer. */
async function taken(url: string, headers: Record<string, string>): Promise<number> {
  const startedAt = process.hrtime.bigint()
  const response = await fetch(url, { headers })
  await response.text()
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`)
  return Number(process.hrtime.bigint() - startedAt) / (MS * MS)
}
