// What the limits cost a reply: the same service with and without them, in turn.
import { startRedis, withoutRedis } from '../../test/helpers/redis-server.ts'
import { number, type Section } from '../report.ts'
import { type Lane, medianOf, runRounds, type Settings } from '../rounds.ts'
import { startService, type World } from '../world.ts'

/** So many that none of them meets the longest log there is, and so few that their tokens are remembered. */
const USERS = 4000
const USER_PER_MINUTE = '120'
/** None meets that of the app, either, and a hundredth of it is reserved at a time, as usual. */
const APP_PER_MINUTE = '10000000'
const MODES = ['off', 'enforce'] as const

interface Pair {
  readonly records: string
  readonly lanes: readonly Lane[]
}

export async function compareLimits(world: World, settings: Settings): Promise<Section> {
  const pairs: Pair[] = []
  for (const [records, STORE_URL] of await stores(world)) pairs.push(await startPair(world, records, STORE_URL))
  const measured = await runRounds(
    pairs.flatMap(({ lanes }) => lanes),
    { ...world, settings }
  )
  const rows = pairs.map(({ records }, index) => {
    const [off = [], on = []] = [0, 1].map(at => costsOf(measured[2 * index + at]?.figures ?? []))
    const added = on.map((cost, round) => cost - (off[round] ?? Number.NaN)).sort((a, b) => a - b)
    return [
      records,
      number(medianOf(off)),
      number(medianOf(on)),
      number(medianOf(added)),
      `${number(quarterOf(added, 1))} to ${number(quarterOf(added, 3))}`
    ]
  })
  return {
    name: 'limits',
    title: 'What the limits cost a reply',
    note: `LIMIT_MODE=enforce and off, each round the one after the other; ${USERS.toLocaleString('en-US')} users of ${USER_PER_MINUTE} messages a minute, so that none is refused. CPU µs; added is the median of the rounds' differences, and what lies between their quarters.`,
    head: ['records', 'off', 'enforced', 'added', 'between'],
    rows,
    figures: measured.map(({ lane, figures }) => ({ name: lane.name, figures }))
  }
}

async function stores({ stack }: World): Promise<readonly (readonly [string, string])[]> {
  const missing = withoutRedis()
  if (missing !== undefined) {
    process.stderr.write(`Without Redis: ${missing}.\n`)
    return [['memory', 'memory:']]
  }
  const redis = await startRedis()
  stack.defer(() => redis.stop())
  return [
    ['memory', 'memory:'],
    ['redis', redis.url]
  ]
}

async function startPair(world: World, records: string, STORE_URL: string): Promise<Pair> {
  const users = world.issuer.manyUsers(USERS)
  const lanes: Lane[] = []
  for (const mode of MODES) {
    const env = {
      STORE_URL,
      LIMIT_MODE: mode,
      LIMIT_USER_PER_MINUTE: USER_PER_MINUTE,
      LIMIT_APP_PER_MINUTE: APP_PER_MINUTE
    }
    lanes.push(await startService(world, { name: `${records}, ${mode}`, env, plan: { users } }))
  }
  return { records, lanes }
}

function costsOf(figures: readonly { readonly cpuMicroseconds: number }[]): readonly number[] {
  return figures.map(({ cpuMicroseconds }) => cpuMicroseconds)
}

function quarterOf(sorted: readonly number[], quarter: number): number {
  return sorted[Math.floor(((sorted.length - 1) * quarter) / 4)] ?? Number.NaN
}
