// Which test files can reach a source file, the ones that are likely to notice first.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

export interface TestFile {
  readonly file: string
  /** How many imports lie between the test and each source file that it runs in its own process. */
  readonly distances: ReadonlyMap<string, number>
  /** It starts the service, and so reaches every source file. */
  readonly startsService: boolean
}

const IMPORTS = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g
const STARTS_SERVICE = /bin\/thread-reply-bff|demo\/main\.ts|src\/server\.ts/

/** Where the whole service is started, the folders that look at what an area does. */
const ACCEPTANCE: readonly (readonly [area: RegExp, tests: RegExp])[] = [
  [/^src\/auth\/(bearer|uid)/, /acceptance\/identity/],
  [/^src\/auth\/app-session/, /acceptance\/sessions/],
  [/^src\/auth\//, /acceptance\/(identity|sessions|hostile)/],
  [/^src\/delivery\/stores/, /acceptance\/(stores|idempotency)|delivery/],
  [/^src\/delivery\//, /acceptance\/idempotency/],
  [/^src\/upstream\//, /acceptance\/(upstream|replies)/],
  [/^src\/http\//, /acceptance\/(hostile|replies|process)/],
  [/^src\/routes\//, /acceptance\/(replies|idempotency)/]
]

export function readTestFiles(): TestFile[] {
  return globSync('test/**/*.test.ts')
    .sort()
    .map(file => {
      const distances = distancesFrom(file)
      const startsService = [...distances.keys()].some(
        reached => !reached.startsWith('src/') && STARTS_SERVICE.test(readFileSync(reached, 'utf8'))
      )
      return { file, distances, startsService }
    })
}

/** Tests in one process before tests of the whole service; of those, the ones that have noticed most before. */
export function testsFor(source: string, tests: readonly TestFile[], kills: ReadonlyMap<string, number>): TestFile[] {
  const expected = ACCEPTANCE.find(([area]) => area.test(source))?.[1] ?? /^$/
  const rank = ({ file, distances }: TestFile): number => {
    const distance = distances.get(source)
    if (distance !== undefined) return distance
    return (expected.test(file) ? 1000 : 2000) - (kills.get(file) ?? 0)
  }
  return tests
    .filter(({ distances, startsService }) => startsService || distances.has(source))
    .sort((a, b) => rank(a) - rank(b) || a.file.localeCompare(b.file))
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
