// What reading a thread takes beyond CometChat's own answer: a page of thirty of a thousand replies, in turn with the same
// call without anything between. CometChat is the emulator, in this process, so what it takes is in both.
import { createCometChatEmulator } from '../../emulator/cometchat-emulator.ts'
import { cpuMicroseconds } from '../process-time.ts'
import { number, type Section } from '../report.ts'
import { medianOf, type Settings } from '../rounds.ts'
import { startService, type World } from '../world.ts'

const REPLIES = 1000
const READS = 200
const WARM_UP = 300
const MS = 1000

export async function measureReading(world: World, { rounds, stopping, onProgress }: Settings): Promise<Section> {
  const [user] = world.issuer.users(1)
  if (!user) throw new Error('it takes a user')
  const emulator = createCometChatEmulator({ seed: 1 })
  const { url } = await emulator.start()
  world.stack.defer(() => emulator.stop())
  for (const uid of [user.uid, 'bob']) emulator.addUser({ uid, name: uid })
  const { id: parentId } = emulator.addMessage({ sender: 'bob', receiver: user.uid, receiverType: 'user' })
  for (let reply = 0; reply < REPLIES; reply++) {
    emulator.addMessage({ sender: 'bob', receiver: user.uid, receiverType: 'user', parentId, text: `Reply ${reply}` })
  }
  const env = { COMETCHAT_BASE_URL: url, COMETCHAT_API_KEY: emulator.apiKey }
  const { subject } = await startService(world, { name: 'this service', env })
  const page = `http://127.0.0.1:${subject.port}/threads/${parentId}/replies`
  const read = () => taken(page, { authorization: `Bearer ${user.token}` })
  for (let count = 0; count < WARM_UP; count++) await read()
  const asked = emulator.requests.at(-1)
  if (!asked) throw new Error('CometChat was not asked')
  const direct = () => taken(`${url}${asked.path}`, { apikey: emulator.apiKey, onBehalfOf: user.uid })
  for (let count = 0; count < WARM_UP; count++) await direct()
  const tookMs = { direct: [] as number[], read: [] as number[] }
  const usedBefore = cpuMicroseconds(subject.pid)
  for (let round = 1; round <= rounds; round++) {
    stopping.throwIfAborted()
    onProgress(`round ${round} of ${rounds}`)
    for (let count = 0; count < READS; count++) {
      tookMs.direct.push(await direct())
      tookMs.read.push(await read())
    }
  }
  const cpu = (cpuMicroseconds(subject.pid) - usedBefore) / tookMs.read.length
  const [directMs, readMs] = [medianOf(tookMs.direct), medianOf(tookMs.read)]
  return {
    name: 'reading',
    title: 'A page of a thread',
    note: `30 of ${REPLIES.toLocaleString('en-US')} replies, ${tookMs.read.length.toLocaleString('en-US')} times, one after the other, each in turn with the same call to CometChat; p50 in milliseconds, and the processor time of the service. The limits are off.`,
    head: ['CometChat alone', 'through the service', 'added', 'CPU µs'],
    rows: [[number(directMs), number(readMs), number(readMs - directMs), number(cpu)]],
    figures: { directMs, readMs, cpu }
  }
}

/** Milliseconds from the call to the end of its answer. */
async function taken(url: string, headers: Record<string, string>): Promise<number> {
  const startedAt = process.hrtime.bigint()
  const response = await fetch(url, { headers })
  await response.text()
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`)
  return Number(process.hrtime.bigint() - startedAt) / (MS * MS)
}
