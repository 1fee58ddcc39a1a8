// Several processes on one port: they share the truth, and they live, die and stop as one.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Browser } from '../../helpers/browser.ts'
import { startLoginProcess } from '../../helpers/login.ts'
import { childrenOf, isRunning, openFilesOf } from '../../helpers/processes.ts'
import { connectRaw, type RawConnection, requestBytes } from '../../helpers/raw-http.ts'
import { runService, type ServiceEnv, type ServiceProcess, startService } from '../../helpers/service-process.ts'
import { startEmulator } from '../../helpers/thread.ts'
import { tokenFor } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'

t.setTimeout(240_000)
t.jobs = 3

const EXIT_CONFIG = 78
/** Long for a busy machine, and less than any limit that would end the connection of a client. */
const PROMPT_MS = 6000
/** For what a test asks meanwhile. */
const DRAIN_DELAY_MS = 6000
const BEYOND_MS = 7000
const token = await tokenFor('alice')

t.test('two workers', async t => {
  const keyFile = join(directoryFor(t), 'keys')
  writeFileSync(keyFile, 'a-key-that-was-in-use-before')
  const world = await startWorkers(t, { COMETCHAT_API_KEY: undefined, COMETCHAT_API_KEY_FILE: keyFile })
  writeFileSync(keyFile, world.emulator.apiKey)
  await t.test('follow the file of the key', t => followKey(t, world))
  await t.test('share one port, and every other connection goes to the other one', t => sharePort(t, world))
  await t.test('post a key that reaches both at once once, and either replays it', t => shareRecords(t, world))
  await t.test('are a reason to send calls elsewhere while one does not answer', t => isSilent(t, world))
})

async function followKey(t: Test, { service }: World): Promise<void> {
  const changes = () => service.logLines().filter(({ msg }) => msg === 'COMETCHAT_API_KEY_FILE changed')
  await until(() => changes().length === 2)

  const [first, second] = changes()
  t.match(first, { accepted: true, keys: [/^sha256:/] })
  t.same(second?.['keys'], first?.['keys'])
}

async function sharePort(t: Test, { service, post, open }: World): Promise<void> {
  const [first, second] = [await open(t), await open(t)]

  t.equal(new Set([workerOf(service, first), workerOf(service, second)]).size, 2)
  t.equal((await post(first)).status, 201)
  t.equal((await post(second)).status, 201)
  t.match(
    service.logLines().find(({ msg }) => msg === 'listening'),
    { workers: 2, store: 'file' }
  )
  t.equal(saidBy(service).filter(msg => msg === 'listening').length, 1)
  const ofIssuers = service.logLines().filter(({ msg }) => msg === 'tokens of this issuer are accepted')
  t.equal(ofIssuers.length, 1, 'both find the same, and it is said once')
  t.same(await readiness(service), [200, { status: 'ready', reasons: [] }])
}

async function shareRecords(t: Test, { emulator, post, open }: World): Promise<void> {
  const [first, second] = [await open(t), await open(t)]
  emulator.clear()
  emulator.failNext({ kind: 'delay', delayMs: 1500 }, { method: 'POST' })

  const answers = await Promise.all([post(first, 'one-key'), post(second, 'one-key')])

  t.same(answers.map(({ status }) => status).sort(), [201, 409])
  for (const connection of [first, second]) {
    const replayed = await post(connection, 'one-key')
    t.same([replayed.status, replayed.headers.get('idempotent-replayed')], [201, 'true'])
    t.equal(replayed.json.data.id, emulator.ledger[0]?.id)
  }
  t.equal(emulator.ledger.length, 1)
}

async function isSilent(t: Test, { service }: World): Promise<void> {
  const [silent = 0] = workersOf(service)

  process.kill(silent, 'SIGSTOP')
  const stopped = await readiness(service)
  process.kill(silent, 'SIGCONT')

  t.same(stopped, [503, { status: 'not-ready', reasons: ['worker-silent'] }])
  t.same(await readiness(service), [200, { status: 'ready', reasons: [] }])
}

t.test('a worker that is killed is replaced, and the reply that was under way in it is not doubled', async t => {
  const { emulator, service, post, open } = await startWorkers(t, { REPLY_DEADLINE_MS: '4000' })
  const [doomed, other] = [await open(t), await open(t)]
  // Known before the reply is under way: the search takes a busy machine longer than the answer.
  const pid = workerOf(service, doomed)
  emulator.failNext({ kind: 'delay', delayMs: 3900 }, { method: 'POST' })
  const lost = t.rejects(post(doomed, 'one-key'))
  await until(() => emulator.ledger.length === 1)

  process.kill(pid, 'SIGKILL')
  await service.lineWhere(({ msg }) => msg === 'worker ended')

  t.same(await readiness(service), [503, { status: 'not-ready', reasons: ['workers'] }])
  t.equal((await post(other)).status, 201, 'the other one goes on')
  await lost
  const replaced = await service.lineWhere(({ msg }) => msg === 'worker replaced')
  t.same(await readiness(service), [200, { status: 'ready', reasons: [] }])
  t.same(new Set(workersOf(service)), new Set([workerOf(service, other), replaced['pid']]))
  t.match(
    service.logLines().find(({ msg }) => msg === 'worker ended'),
    { pid, code: null, signal: 'SIGKILL' }
  )

  const found = await insist(() => post(other, 'one-key'))
  t.same([found.status, found.headers.get('idempotent-replayed')], [201, 'true'])
  t.equal(found.json.data.id, emulator.ledger[0]?.id)
  t.equal(emulator.ledger.length, 2, 'the reply, and the one of the other worker')
})

t.test('SIGTERM: probes say no while every worker serves, then what is under way is finished', async t => {
  const { emulator, service, post, open } = await startWorkers(t, {
    DRAIN_DELAY_MS: `${DRAIN_DELAY_MS}`,
    REPLY_DEADLINE_MS: '15000'
  })
  const [slow, other] = [await open(t), await open(t)]
  emulator.failNext({ kind: 'delay', delayMs: BEYOND_MS }, { method: 'POST' })
  const answered = post(slow)
  await until(() => emulator.ledger.length === 1)
  const startMs = performance.now()

  const exited = service.stop('SIGTERM')
  await service.lineWhere(({ msg }) => msg === 'draining')

  const [probed, during] = await Promise.all([readiness(service), post(other)])
  t.same(probed, [503, { status: 'not-ready', reasons: ['draining'] }])
  t.same([during.status, during.headers.get('connection')], [201, 'close'])
  t.same([(await answered).status, (await answered).headers.get('connection')], [201, 'close'])
  t.equal(await exited, 0)
  t.ok(performance.now() - startMs < BEYOND_MS + PROMPT_MS)
  t.same(saidBy(service), ['listening', 'draining', 'stopped'])
})

t.test('Ctrl-C, which every process of the group gets, is one signal', async t => {
  const { emulator, service, post, open } = await startWorkers(t, { DRAIN_DELAY_MS: '60000' })
  emulator.failNext({ kind: 'delay', delayMs: 300 }, { method: 'POST' })
  const answered = post(await open(t))
  await until(() => emulator.ledger.length === 1)

  for (const pid of workersOf(service)) process.kill(pid, 'SIGINT')
  const exited = service.stop('SIGINT')

  t.equal((await answered).status, 201)
  t.equal(await exited, 0)
})

t.test('a second signal ends them all at once', async t => {
  const { emulator, service, post, open } = await startWorkers(t, { DRAIN_DELAY_MS: '60000' })
  emulator.failNext({ kind: 'stall' }, { method: 'POST' })
  const lost = t.rejects(post(await open(t)))
  await until(() => emulator.requests.length === 1)
  const pids = workersOf(service)
  void service.stop('SIGTERM')
  await service.lineWhere(({ msg }) => msg === 'draining')
  const startMs = performance.now()

  t.not(await service.stop('SIGTERM'), 0)

  await until(() => !pids.some(isRunning))
  t.ok(performance.now() - startMs < PROMPT_MS)
  await lost
})

t.test('workers whose primary is killed finish what is under way, and end', async t => {
  const { emulator, service, post, open } = await startWorkers(t)
  emulator.failNext({ kind: 'delay', delayMs: 500 }, { method: 'POST' })
  const answered = post(await open(t))
  await until(() => emulator.ledger.length === 1)
  const pids = workersOf(service)
  const startMs = performance.now()

  // Not waited for: the workers hold its output open.
  service.process.kill('SIGKILL')

  t.equal((await answered).status, 201)
  await until(() => !pids.some(isRunning))
  t.ok(performance.now() - startMs < 500 + PROMPT_MS)
})

t.test('somebody who began to sign in at one worker is signed in at all of them', async t => {
  const world = await startLoginProcess(t, { ...shared(t), WEB_CONCURRENCY: '2' })
  const browser = new Browser()
  const callback = await world.untilCallback(browser)
  // The helper keeps its connections; here each call is on one of its own, and so at the next worker.
  const ask = (url: string) => browser.visit(url, { headers: { accept: '*/*', connection: 'close' } })

  t.equal((await ask(callback)).status, 200)
  t.match(await ask(callback), { status: 403, json: { code: 'csrf' } }, 'and once only')
  for (let call = 0; call < 4; call++) t.match((await ask(`${world.origin}/auth/me`)).json, { uid: 'alice' })
})

t.test('a start that fails says why, once', async t => {
  const { env } = await startEmulator(t)
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => taken.close())
  const port = String((taken.address() as { port: number }).port)
  const cases: [title: string, change: ServiceEnv, exitCode: number, errors: RegExp][] = [
    [
      'records in memory',
      { STORE_URL: 'memory:' },
      EXIT_CONFIG,
      /^The configuration is wrong:\n {2}- WEB_CONCURRENCY .*STORE_URL=file:PATH.*\n$/
    ],
    ['no such number', { WEB_CONCURRENCY: '65' }, EXIT_CONFIG, /^.*\n {2}- WEB_CONCURRENCY .* from 1 to 64\.\n$/],
    ['PORT is taken', { PORT: port }, 1, new RegExp(`^127.0.0.1:${port} is taken: change PORT\\.\n$`)],
    ['PORT is taken under a name', { HOST: 'localhost', PORT: port }, 1, /^localhost:\d+ is taken: change PORT\.\n$/],
    ['ADMIN_PORT is taken', { ADMIN_PORT: port }, 1, /^127.0.0.1:\d+ is taken: change ADMIN_PORT\.\n$/],
    ['the store refuses', { STORE_URL: 'file:/no/such/directory/records' }, 1, /^STORE_URL names .*\n$/]
  ]
  for (const [title, change, exitCode, errors] of cases) {
    const ended = await runService({ ...env, ...shared(t), WEB_CONCURRENCY: '2', ...change })
    t.match(ended, { exitCode, errors }, title)
    t.notMatch(ended.output, 'listening')
  }
})

t.test('workers that cannot live are tried again, slowly, and not for ever', async t => {
  const { env } = await startEmulator(t)
  const crash = encodeURIComponent("import cluster from 'node:cluster'; if (cluster.isWorker) process.exit(3)")
  const NODE_OPTIONS = `--import=data:text/javascript,${crash}`
  const startMs = performance.now()

  const ended = await runService({ ...env, ...shared(t), WEB_CONCURRENCY: '2', NODE_OPTIONS })

  t.match(ended, { exitCode: 1, errors: /^Workers end before they listen, the last one with code 3\.\n$/ })
  t.ok(performance.now() - startMs > 2000, 'a second apart')
})

t.test('--check-config says how many there would be', async t => {
  const { env } = await startEmulator(t)

  const { exitCode, output } = await runService({ ...env, ...shared(t), WEB_CONCURRENCY: '3' }, ['--check-config'])

  t.equal(exitCode, 0)
  t.match(output, /^ {2}workers +3$/m)
})

/** A store that processes can share; it goes with the test. */
function shared(t: Test): ServiceEnv {
  const STORE_SECRET = 'a-store-secret-for-tests-of-40-bytes-xxx'
  return { STORE_URL: `file:${join(directoryFor(t), 'records.db')}`, STORE_SECRET, QUIET_PERIOD_MS: '500' }
}

function directoryFor(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'workers-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

type World = Awaited<ReturnType<typeof startWorkers>>

async function startWorkers(t: Test, overrides: ServiceEnv = {}) {
  const { emulator, env, parentId } = await startEmulator(t)
  const service = await startService(t, { ...env, ...shared(t), WEB_CONCURRENCY: '2', ...overrides })
  const body = JSON.stringify({ data: { text: 'hello' }, receiver: 'bob', receiverType: 'user' })
  return {
    emulator,
    service,
    /** A connection that a worker has taken. */
    async open(t: Test): Promise<RawConnection> {
      const connection = await connectRaw(t, service.url)
      await until(() => workerOf(service, connection) !== 0)
      return connection
    },
    post(connection: RawConnection, key?: string) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const keyed = key === undefined ? headers : { ...headers, 'idempotency-key': key }
      connection.send(requestBytes(`POST /threads/${parentId}/replies`, keyed, body))
      return connection.answer()
    }
  }
}

/** The log without the lines of requests, and without what each worker says of its issuer. */
function saidBy(service: ServiceProcess): unknown[] {
  const left: unknown[] = ['request', 'tokens of this issuer are accepted']
  return service.logLines().flatMap(({ msg }) => (left.includes(msg) ? [] : [msg]))
}

async function readiness({ adminUrl }: ServiceProcess): Promise<unknown> {
  const response = await fetch(`${adminUrl}/readyz?verbose`)
  return [response.status, await response.json()]
}

async function insist(post: () => Promise<Awaited<ReturnType<RawConnection['answer']>>>) {
  for (;;) {
    const answer = await post()
    if (answer.json.retryable !== true) return answer
    await sleep(200)
  }
}

const workersOf = (service: ServiceProcess): number[] => childrenOf(service.process.pid)

/** Which of them has the other end of a connection; 0 while none has. */
function workerOf(service: ServiceProcess, { socket }: RawConnection): number {
  const hex = (port: number | undefined): string => (port ?? 0).toString(16).toUpperCase().padStart(4, '0')
  const ends = `0100007F:${hex(socket.remotePort)} 0100007F:${hex(socket.localPort)} `
  const line =
    readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .find(text => text.includes(ends)) ?? ''
  const inode = line.trim().split(/\s+/)[9]
  return workersOf(service).find(pid => openFilesOf(pid).includes(`socket:[${inode}]`)) ?? 0
}
