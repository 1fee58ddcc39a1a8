// Two instances on one Redis behind a balancer, and callers who never pause: each instance in turn is told to go and
// started again. The ledger of the local CometChat says whether a reply was lost or doubled.
import { setTimeout as sleep } from 'node:timers/promises'
import { createCometChatEmulator } from '../../emulator/cometchat-emulator.ts'
import { createRandom } from '../../emulator/random.ts'
import { freePort } from '../helpers/free-port.ts'
import { startRedis } from '../helpers/redis-server.ts'
import { type ServiceEnv, type ServiceProcess, startService } from '../helpers/service-process.ts'
import { type FrontName, type Ports, startFront } from './fronts.ts'
import { type Failure, Load } from './load.ts'

export interface RollingOptions {
  /** All of them are in front of the same two instances. */
  readonly fronts: readonly FrontName[]
  readonly rounds: number
  /** Of each front. */
  readonly callers: number
  readonly drainDelayMs: number
  readonly seed: number
  readonly onRound?: (round: Round) => void
  readonly signal?: AbortSignal
}

/** Both instances were restarted once. */
export interface Round {
  readonly number: number
  readonly behind: readonly Told[]
  /** Told as sent, and not in CometChat. */
  readonly lost: number
  /** More than once in CometChat. */
  readonly doubled: number
  /** Requests that the two processes had answered which were told to go. */
  readonly answered: readonly number[]
}

/** What the callers of a front were told. */
export interface Told {
  readonly front: FrontName
  readonly sent: number
  readonly failures: readonly Failure[]
}

/** A balancer that looks every 500 ms has seen it by then; Kubernetes calls it minReadySeconds. */
const SEEN_AFTER_MS = 1000
const STORE_SECRET = 'a-secret-of-records-for-tests-of-44-bytes-xx'

export async function runRollingRestart(options: RollingOptions): Promise<Round[]> {
  const { fronts, rounds, callers, drainDelayMs, seed, onRound, signal } = options
  await using stack = new AsyncDisposableStack()
  const emulator = createCometChatEmulator({ seed })
  for (const uid of ['alice', 'bob']) emulator.addUser({ uid })
  const { id: parentId } = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user' })
  const { url: cometchatUrl } = await emulator.start()
  stack.defer(() => emulator.stop())
  const redis = await startRedis()
  stack.defer(() => redis.stop())
  const env: ServiceEnv = {
    COMETCHAT_BASE_URL: cometchatUrl,
    COMETCHAT_API_KEY: emulator.apiKey,
    STORE_URL: redis.url,
    STORE_SECRET,
    TRUST_PROXY: '127.0.0.1',
    DRAIN_DELAY_MS: `${drainDelayMs}`
  }
  const instances = [await startRestarting(stack, env), await startRestarting(stack, env)] as const
  const [one, two] = instances.map(({ ports }) => ports) as [Ports, Ports]
  const urls = new Map<FrontName, string>()
  for (const name of fronts) {
    const front = await startFront(name, one, two)
    stack.defer(() => front.stop())
    urls.set(name, front.url)
  }

  const random = createRandom(seed)
  const done: Round[] = []
  for (let number = 1; number <= rounds && !signal?.aborted; number++) {
    const loads = Array.from(urls, ([front, url]) => ({ front, load: new Load({ url, parentId, callers, random }) }))
    for (const { load } of loads) await load.begin()
    const answered: number[] = []
    for (const instance of instances) {
      answered.push(await instance.restart())
      await sleep(SEEN_AFTER_MS)
    }
    await Promise.all(loads.map(({ load }) => load.end()))
    const posted = emulator.ledger.map(({ message }) => textOf(message))
    emulator.clear()
    const sent = loads.flatMap(({ load }) => load.sent)
    const behind = loads.map(({ front, load }) => ({ front, sent: load.sent.length, failures: load.failures }))
    const round: Round = { number, behind, answered, ...judge(sent, posted) }
    done.push(round)
    onRound?.(round)
  }
  return done
}

function judge(sent: readonly string[], posted: readonly string[]) {
  const times = new Map<string, number>()
  for (const text of posted) times.set(text, (times.get(text) ?? 0) + 1)
  return {
    lost: sent.filter(text => !times.has(text)).length,
    doubled: [...times.values()].filter(count => count > 1).length
  }
}

function textOf(message: object): string {
  const { data } = message as { data?: { text?: string } }
  return data?.text ?? ''
}

/** An instance on ports that stay, which can be told to go and is started again. */
async function startRestarting(stack: AsyncDisposableStack, env: ServiceEnv) {
  const ports: Ports = { port: await freePort(), adminPort: await freePort() }
  const onPorts = { ...env, PORT: `${ports.port}`, ADMIN_PORT: `${ports.adminPort}` }
  // The last look at what a process wrote is taken when it has gone: thousands of its lines are kept until then.
  let look: () => unknown = () => undefined
  const teardown = (end: () => unknown): void => {
    look = end
  }
  const start = (): Promise<ServiceProcess> => startService({ teardown }, onPorts)
  let service = await start()
  stack.defer(async () => void (await look()))
  return {
    ports,
    /** Resolves when it is ready again, with the number of requests that it had answered; it must end in order. */
    async restart(): Promise<number> {
      const code = await service.stop('SIGTERM')
      if (code !== 0) throw new Error(`the instance ended with ${code}: ${service.errors.join('')}`)
      const answered = service.logLines().filter(({ msg }) => msg === 'request').length
      await look()
      service = await start()
      return answered
    }
  }
}
