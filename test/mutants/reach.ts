// Which source files a test file can reach.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { testFiles } from '../files.ts'

export interface TestFile {
  readonly file: string
  /** How many imports lie between the test and each source file that it runs in its own process. */
  readonly distances: ReadonlyMap<string, number>
  /** It starts the service, and so reaches every source file. */
  readonly startsService: boolean
}

const IMPORTS = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g
const STARTS_SERVICE = /bin\/thread-reply-bff|demo\/main\.ts|src\/server\.ts/

export function readTestFiles(): TestFile[] {
  return testFiles().map(file => {
    const distances = distancesFrom(file)
    const startsService = [...distances.keys()].some(
      reached => /^(?!src\/).*\.ts$/.test(reached) && STARTS_SERVICE.test(readFileSync(reached, 'utf8'))
    )
    return { file, distances, startsService }
  })
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
