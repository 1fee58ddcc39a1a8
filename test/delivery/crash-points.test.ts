// Every point at which a process can die while it delivers a reply, one after the other: nothing here is random. Over stores
// in which every step takes its time some of the points are tried; all of them with CRASH_POINTS=all.
import t from 'tap'
import { LEASE_MS } from './model/attempt.ts'
import { Decisions } from './model/decisions.ts'
import type { Fate } from './model/fake-cometchat.ts'
import { QUIET_MS, Stage } from './model/stage.ts'
import { World } from './model/world.ts'
import { MEMORY, type StoreUnderTest, startStores } from './stores/stores.ts'

interface Course {
  readonly title: string
  /** What the first attempt met; absent where the crash is in the first. */
  readonly before?: Fate
  readonly waitMs?: number
  readonly fate?: Fate
  /** Then its record is acquired as SENT. */
  readonly knowsReceiver?: boolean
}

const COURSES: readonly Course[] = [
  { title: 'a reply is answered', fate: 'answers' },
  { title: 'a reply is posted and not answered', fate: 'commits, and the connection dies' },
  { title: 'a reply is lost', fate: 'does not commit, and the connection dies' },
  { title: 'a reply is posted late', fate: 'commits after the connection died' },
  { title: 'a reply meets silence and is posted late', fate: 'commits after silence until the deadline' },
  { title: 'a reply is refused', fate: 'refuses' },
  { title: 'a reply is refused for now', fate: 'wants to be asked later' },
  { title: 'a reply is posted and described wrongly', fate: 'commits, and breaks its contract' },
  { title: 'a reply is posted and its answer meets a bug', fate: 'commits, and its answer meets a bug' },
  { title: 'a reply is asked for again', before: 'answers' },
  { title: 'a doubtful reply is found', before: 'commits, and the connection dies' },
  { title: 'a doubtful reply is not found yet', before: 'commits after the connection died' },
  {
    title: 'a doubtful reply is sent anew',
    before: 'does not commit, and the connection dies',
    waitMs: QUIET_MS,
    fate: 'answers'
  },
  {
    title: 'a doubtful reply is sent anew and not answered',
    before: 'does not commit, and the connection dies',
    waitMs: QUIET_MS,
    fate: 'commits, and the connection dies'
  }
]
/** When the client comes back after the crash. */
const RETURNS_MS = [0, LEASE_MS - 1, LEASE_MS, LEASE_MS + QUIET_MS - 1, LEASE_MS + QUIET_MS]
const FAR = 1000
const TRIES_ALL = process.env['CRASH_POINTS'] === 'all'

t.setTimeout(240_000)
const { stores, missing, close } = await startStores()
t.teardown(close)
for (const { name, reason } of missing) t.test(`${name} is tried, too`, { skip: reason }, async () => undefined)

for (const store of stores) {
  t.test(`${store.name} a process may die at every step of a delivery`, async t => {
    const courses = COURSES.flatMap(course => [true, false].map(knowsReceiver => ({ ...course, knowsReceiver })))
    for (const [index, course] of oneOf(store.share < 0.03 ? 2 : 1, courses).entries()) {
      const returnsMs = store === MEMORY ? RETURNS_MS : [LEASE_MS]
      const deaths = oneOf(rarityOf(store), deathsIn(await lengthOf(store, course), returnsMs), index)
      const broken: string[] = []
      for (const death of deaths) broken.push(...(await dieAt(store, course, death)))
      const how = course.knowsReceiver ? 'acquired as SENT' : 'acquired, then marked'
      t.same(broken, [], `${course.title}, ${how}: ${deaths.length} deaths`)
    }
  })
}

interface Death {
  readonly step: number
  /** Whether what it had asked of the store is lost with it. */
  readonly losesWords: boolean
  readonly returnMs: number
}

/** Of so many deaths one is tried. */
function rarityOf({ share }: StoreUnderTest): number {
  if (share >= 0.5) return 1
  return share >= 0.01 ? 2 : 4
}

/** One of so many. Neighbours differ in one thing only: of that in turn this and that one. Each course begins at another. */
function oneOf<T>(count: number, list: readonly T[], course = 0): readonly T[] {
  if (count === 1 || TRIES_ALL) return list
  return list.filter((_, index) => [0, 3].includes((index + 2 * course) % (2 * count)))
}

function deathsIn(steps: number, returnsMs: readonly number[]): Death[] {
  return Array.from({ length: steps + 1 }, (_, step) => step).flatMap(step =>
    returnsMs.flatMap(returnMs => [false, true].map(losesWords => ({ step, losesWords, returnMs })))
  )
}

async function lengthOf(store: StoreUnderTest, course: Course): Promise<number> {
  const { stage, process } = await setUp(store, course)
  stage.begin('hello', process)
  const steps = await stage.takeSteps(FAR)
  await stage.close()
  return steps
}

async function dieAt(store: StoreUnderTest, course: Course, { step, losesWords, returnMs }: Death): Promise<string[]> {
  const { stage, process } = await setUp(store, course)
  stage.begin('hello', process)
  await stage.takeSteps(step)
  stage.world.kill(process, losesWords)
  await stage.converge([returnMs, LEASE_MS, QUIET_MS])
  const broken = stage.broken().map(text => `step ${step}, back after ${returnMs} ms: ${text}`)
  await stage.close()
  return broken.length === 0 ? [] : [...broken, ...stage.world.trace]
}

async function setUp(store: StoreUnderTest, { before, waitMs = 0, fate, knowsReceiver = false }: Course) {
  const stage = await Stage.open(new World(), new Decisions([]), {
    openStore: store.open,
    knowsReceiver,
    latestCommitMs: QUIET_MS - store.marginMs
  })
  // It has run for so long that it believes the dates of the others.
  const process = await stage.startProcess('B')
  stage.world.advance(2 * QUIET_MS)
  if (before !== undefined) {
    stage.cometchat.script.push(before)
    stage.begin('hello', await stage.startProcess('A'))
    await stage.takeSteps()
    stage.world.advance(waitMs)
  }
  if (fate !== undefined) stage.cometchat.script.push(fate)
  return { stage, process }
}
