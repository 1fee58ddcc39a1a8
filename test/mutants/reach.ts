// Which test files are worth a try for a source file, the nearest first.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { testFiles } from '../files.ts'

export interface TestFile {
  readonly file: string
  /** How many imports lie between the test and each file that it runs in its own process. */
  readonly distances: ReadonlyMap<string, number>
  /** It starts the service, and so can reach every source file. */
  readonly startsService: boolean
  /** What it took when the times were last recorded. */
  readonly seconds: number
}

const IMPORTS = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g
const STARTS_SERVICE = /bin\/thread-reply-bff|demo\/main\.ts|src\/server\.ts/
/** A file that is not in the table takes less than that. */
const RECORDED_FROM_S = 1.5
/** Of a test that starts the service: what takes longer waits for something, and is not of one line. */
const LONGEST_S = 15

/** The rooms of `test/acceptance/` in which a part of the service is the subject, the first one first. */
const ROOMS: readonly (readonly [part: string, rooms: readonly string[]])[] = [
  ['src/auth/app-session/', ['sessions', 'identity']],
  ['src/auth/csrf.ts', ['sessions', 'login']],
  ['src/auth/', ['identity', 'hostile', 'sessions']],
  ['src/delivery/stores/', ['stores', 'idempotency']],
  ['src/delivery/posted/', ['thread', 'idempotency']],
  ['src/delivery/', ['idempotency', 'upstream', 'thread']],
  ['src/upstream/health/', ['limits', 'upstream']],
  ['src/upstream/listing/', ['thread']],
  ['src/upstream/thread/', ['idempotency', 'thread']],
  ['src/upstream/', ['upstream', 'recordings', 'replies', 'idempotency', 'thread']],
  ['src/http/', ['replies', 'hostile', 'process', 'limits']],
  ['src/routes/', ['replies', 'thread', 'recordings', 'idempotency']]
]

export function readTestFiles(): TestFile[] {
  const seconds: Record<string, number> = JSON.parse(readFileSync('test/seconds.json', 'utf8'))
  return testFiles().map(file => {
    const distances = distancesFrom(file)
    const startsService = [...distances.keys()].some(
      reached => /^(?!src\/).*\.ts$/.test(reached) && STARTS_SERVICE.test(readFileSync(reached, 'utf8'))
    )
    return { file, distances, startsService, seconds: seconds[file] ?? RECORDED_FROM_S }
  })
}

/** Those that run `source` in their own process, by how near it is. */
export function testsInProcess(tests: readonly TestFile[], source: string): TestFile[] {
  return tests
    .filter(({ startsService, distances }) => !startsService && distances.has(source))
    .sort(by(({ distances, seconds }) => seconds + 10 * (distances.get(source) ?? 0)))
}

/** Those that start the service, in the folder of the same name and in the rooms of that part, the quick ones of each first. */
export function testsOfService(tests: readonly TestFile[], source: string): TestFile[] {
  const rooms = ROOMS.find(([part]) => source.startsWith(part))?.[1] ?? []
  const folders = [`test/${dirname(source).slice('src/'.length)}/`, ...rooms.map(room => `test/acceptance/${room}/`)]
  const services = tests
    .filter(({ startsService, seconds }) => startsService && seconds <= LONGEST_S)
    .sort(by(({ seconds }) => seconds))
  return [...new Set(folders.flatMap(folder => services.filter(({ file }) => file.startsWith(folder))))]
}

function by(cost: (test: TestFile) => number): (a: TestFile, b: TestFile) => number {
  return (a, b) => cost(a) - cost(b)
}

function distancesFrom(file: string): Map<string, number> {
  const distances = new Map([[file, 0]])
  for (const [reached, distance] of distances) {
    for (const [, path = ''] of readFileSync(reached, 'utf8').matchAll(IMPORTS)) {
      const next = normalize(join(dirname(reached), path))
      if (!distances.has(next) && existsSync(next)) distances.set(next, distance + 1)
    }
  }
  return distances
}
