// Users who ask twenty times what they may, and users who obey: what a CometChat that counts has to say of it.
import { setTimeout as sleep } from 'node:timers/promises'
import { createCometChatEmulator } from '../../emulator/cometchat-emulator.ts'
import { startRedis, withoutRedis } from '../../test/helpers/redis-server.ts'
import type { User } from '../identity.ts'
import { number, type Section } from '../report.ts'
import { MEASURED_TWO, startService, type World } from '../world.ts'

export interface QuotaOptions {
  readonly instances: readonly number[]
  readonly forMs: number
}

const LIMIT = 30
const MINUTE_MS = 60_000
const LOUD = 4
const OBEYING = 4
const LOUD_PER_MINUTE = 20 * LIMIT
/** Half as much again as they may. */
const OBEYING_PER_MINUTE = 1.5 * LIMIT
const WINDOWS = ['fixed', 'sliding'] as const

interface Figures {
  readonly instances: number
  readonly window: string
  readonly asked: number
  /** Of one loud user in any minute: at the most, and in the worst of whole minutes from its first message on. */
  readonly most: number
  readonly least: number
  /** Of those who come back when they are told. */
  readonly cameBack: number
  readonly succeeded: number
  readonly refusedByCometChat: number
  readonly unknown: number
}

export async function measureQuota(world: World, { instances, forMs }: QuotaOptions): Promise<Section> {
  const missing = withoutRedis()
  if (missing !== undefined) throw new Error(`It takes a Redis: ${missing}.`)
  const all: Figures[] = []
  // Both at once: a minute takes its time.
  for (const count of instances) {
    all.push(...(await Promise.all(WINDOWS.map(window => measureWindow(world, window, count, forMs)))))
  }
  return {
    name: 'quota',
    title: 'The quota, as CometChat counts',
    note: `The emulator refuses more than ${LIMIT} a minute, by minutes of the clock or in any 60 s. ${LOUD} users ask ${LOUD_PER_MINUTE} a minute and wait for nothing; ${OBEYING} ask ${OBEYING_PER_MINUTE} and come back when they are told. ${forMs / 1000} s each, the instances on one Redis. Most: of one loud user in any 60 s of the emulator's list; least: in its whole minutes.`,
    head: ['instances', 'its minute', 'asked', 'most', 'least', 'obeyed, and sent', 'its 429', 'in doubt'],
    rows: all.map(figures => [
      String(figures.instances),
      figures.window,
      String(figures.asked),
      String(figures.most),
      String(figures.least),
      `${figures.succeeded} of ${figures.cameBack} (${number((100 * figures.succeeded) / figures.cameBack)} %)`,
      String(figures.refusedByCometChat),
      String(figures.unknown)
    ]),
    figures: all
  }
}

async function measureWindow(
  world: World,
  window: (typeof WINDOWS)[number],
  instances: number,
  forMs: number
): Promise<Figures> {
  if ('count' in world.plan.users) throw new Error('it takes users with a token each')
  const users = world.plan.users.slice(0, LOUD + OBEYING)
  await using stack = new AsyncDisposableStack()
  const emulator = createCometChatEmulator({ switches: { userMessagesPerMinute: LIMIT, userWindow: window } })
  const { url } = await emulator.start()
  stack.defer(() => emulator.stop())
  const redis = await startRedis()
  stack.defer(() => redis.stop())
  for (const { uid } of users) emulator.addUser({ uid })
  emulator.addGroup({ guid: 'team', members: users.map(({ uid }) => uid) })
  const parent = emulator.addMessage({ sender: users[0]?.uid ?? '', receiver: 'team', receiverType: 'group' })
  const env = {
    COMETCHAT_BASE_URL: url,
    COMETCHAT_API_KEY: emulator.apiKey,
    STORE_URL: redis.url,
    LIMIT_MODE: 'enforce'
  }
  const ports: number[] = []
  for (let instance = 0; instance < instances; instance++) {
    const name = `instance ${instance + 1}`
    const { subject } = await startService({ ...world, stack }, { name, env, cores: MEASURED_TWO })
    ports.push(subject.port)
  }
  const postAs = createPost(ports, parent.id)
  const endsAtMs = performance.now() + forMs
  const tally = { asked: 0, cameBack: 0, succeeded: 0, unknown: 0 }
  await Promise.all([
    ...users.slice(0, LOUD).map(user => beLoud(user, postAs, endsAtMs, tally)),
    ...users.slice(LOUD).map(user => obey(user, postAs, endsAtMs, tally))
  ])
  const times = users.slice(0, LOUD).map(({ uid }) => timesOf(emulator.ledger, uid))
  return {
    ...tally,
    instances,
    window,
    most: Math.max(...times.map(mostInMinute)),
    least: Math.min(...times.map(leastInMinute)),
    refusedByCometChat: emulator.requests.filter(({ status }) => status === 429).length
  }
}

interface Answer {
  readonly status: number
  readonly retryAfterMs: number
  readonly delivery: string | undefined
}

/** Each with a text of its own, which is the same when it is sent again. */
type PostAs = (user: User, number: number) => Promise<Answer>

interface Tally {
  asked: number
  cameBack: number
  succeeded: number
  unknown: number
}

/** The instances take turns. */
function createPost(ports: readonly number[], parentId: string): PostAs {
  let turn = 0
  return async ({ token }, number) => {
    const answer = await fetch(`http://127.0.0.1:${ports[turn++ % ports.length]}/threads/${parentId}/replies`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ data: { text: `reply ${number}` } })
    })
    const { retryAfterMs = 0, delivery } = (await answer.json()) as Partial<Answer>
    return { status: answer.status, retryAfterMs, delivery }
  }
}

/** At random times, whatever becomes of those before. */
async function atRandom(perMinute: number, endsAtMs: number, work: () => Promise<void>): Promise<void> {
  const underWay: Promise<void>[] = []
  while (performance.now() < endsAtMs) {
    underWay.push(work())
    await sleep((-Math.log(1 - Math.random()) * MINUTE_MS) / perMinute)
  }
  await Promise.all(underWay)
}

async function beLoud(user: User, postAs: PostAs, endsAtMs: number, tally: Tally): Promise<void> {
  await atRandom(LOUD_PER_MINUTE, endsAtMs, async () => {
    if ((await postAs(user, tally.asked++)).delivery === 'unknown') tally.unknown++
  })
}

async function obey(user: User, postAs: PostAs, endsAtMs: number, tally: Tally): Promise<void> {
  await atRandom(OBEYING_PER_MINUTE, endsAtMs, async () => {
    const number = tally.asked++
    const { status, retryAfterMs } = await postAs(user, number)
    if (status !== 429) return
    await sleep(retryAfterMs)
    tally.cameBack++
    if ((await postAs(user, number)).status === 201) tally.succeeded++
  })
}

function timesOf(
  ledger: readonly { readonly onBehalfOf: string | null; readonly atMs: number }[],
  uid: string
): readonly number[] {
  return ledger.filter(({ onBehalfOf }) => onBehalfOf === uid).map(({ atMs }) => atMs)
}

function mostInMinute(times: readonly number[]): number {
  return Math.max(0, ...times.map(from => times.filter(at => at >= from && at <= from + MINUTE_MS).length))
}

function leastInMinute(times: readonly number[]): number {
  const [first = 0] = times
  const minutes = Math.floor(((times.at(-1) ?? 0) - first) / MINUTE_MS)
  const counts = Array.from({ length: minutes }, (_, minute) => {
    const from = first + minute * MINUTE_MS
    return times.filter(at => at >= from && at < from + MINUTE_MS).length
  })
  return Math.min(...counts)
}
