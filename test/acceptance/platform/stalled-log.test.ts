// Reporting never stops serving: whatever reads standard output, or does not, replies, probes and signals go on.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { baseEnv, type ServiceEnv } from '../../helpers/service-process.ts'
import { createStalledReader } from '../../helpers/stalled-reader.ts'
import { postReply, startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'
import { endOf, LAUNCHER, probe, startUnread, type UnreadService } from '../../helpers/unread-service.ts'
import { until } from '../../helpers/until.ts'

/** Their lines are more than a pipe or a socket holds. */
const MANY_CALLS = 300
const CALLS = 50
const AT_ONCE = 10
const CANNOT_GROW_BYTES = 10_000

t.setTimeout(240_000)
const { env, parentId } = await startEmulator(t)
const token = await tokenFor('alice')

const start = (t: Test, stdout: number | 'pipe', change: ServiceEnv = {}, before: readonly string[] = []) =>
  startUnread(t, { stdout, env: { ...env, ...change }, before })

/** So many replies, and what was answered. */
async function callOften(url: string, calls: number): Promise<Record<number, number>> {
  const counts: Record<number, number> = {}
  let left = calls
  const clients = Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) {
      const { status } = await postReply({ url }, { parentId, token })
      counts[status] = (counts[status] ?? 0) + 1
    }
  })
  await Promise.all(clients)
  return counts
}

async function servesAndEnds(t: Test, service: UnreadService, calls = CALLS): Promise<void> {
  const { child, url } = service
  t.same(await callOften(url, calls), { 201: calls })
  t.equal(await probe(service, 'livez'), 200)
  t.equal(await probe(service, 'readyz'), 200)
  child.kill('SIGTERM')
  t.equal(await endOf(child), 0)
}

t.test('with a pipe that is not read', async t => {
  await servesAndEnds(t, await start(t, createStalledReader(t).writer), MANY_CALLS)
})

t.test('with a pipe that is not read, and workers', async t => {
  const store = { STORE_URL: `file:${join(t.testdir({}), 'replies.db')}`, STORE_SECRET: 'x'.repeat(32) }
  const reader = createStalledReader(t)
  const service = await start(t, reader.writer, { ...store, WEB_CONCURRENCY: '2' })
  reader.fill()
  await servesAndEnds(t, service)
})

t.test('with a socket that is not read, as that of a journal', async t => {
  const service = await start(t, 'pipe')
  service.child.stdout?.pause()
  await servesAndEnds(t, service, MANY_CALLS)
})

t.test('with a file that cannot grow', async t => {
  const path = join(t.testdir({}), 'log')
  const limit = ['prlimit', `--fsize=${CANNOT_GROW_BYTES}`]
  await servesAndEnds(t, await start(t, openSync(path, 'a'), { NODE_DISABLE_COMPILE_CACHE: '1' }, limit))

  t.equal(readFileSync(path).length, CANNOT_GROW_BYTES)
})

t.test('with a full disk', async t => {
  await servesAndEnds(t, await start(t, openSync('/dev/full', 'w')))
})

t.test('with a reader that left', async t => {
  const reader = createStalledReader(t)
  const service = await start(t, reader.writer)
  closeSync(reader.writer)
  reader.leave()
  await servesAndEnds(t, service)
})

t.test('a second signal ends it at once, with a pipe that is not read', async t => {
  const reader = createStalledReader(t)
  const { child, url } = await start(t, reader.writer, { DRAIN_DELAY_MS: '60000' })
  reader.fill()
  await callOften(url, CALLS)
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGTERM'), 200)

  t.equal(await endOf(child), 1)
})

t.test('a reader that goes on reading gets the line of every reply, and of the end', async t => {
  const reader = createStalledReader(t)
  const { child, url } = await start(t, reader.writer)
  reader.fill()
  await callOften(url, CALLS)
  let read = ''
  const lines = (): Record<string, unknown>[] =>
    read
      .slice(0, read.lastIndexOf('\n') + 1)
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
  const replies = (): number => lines().filter(({ status }) => status === 201).length
  await until(() => {
    read += reader.read() ?? ''
    return replies() === CALLS
  })
  child.kill('SIGTERM')
  await until(() => {
    read += reader.read() ?? ''
    return lines().at(-1)?.['msg'] === 'stopped'
  })

  t.notOk(read.includes('dropped'))
})

t.test('a port that is taken is said although the log is not read, and the process ends', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => void taken.close())
  const address = taken.address()
  const port = typeof address === 'object' ? address?.port : 0
  const reader = createStalledReader(t)
  reader.fill()
  const child = spawn(LAUNCHER, {
    env: { ...baseEnv(), ...env, PORT: `${port}` } as NodeJS.ProcessEnv,
    stdio: ['ignore', reader.writer, 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))

  t.equal(await endOf(child), 1)
})
