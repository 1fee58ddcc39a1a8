// Which places in the sources each test executes: found by one run of the test on the sound tree, when it is first asked,
// and kept until the test or the source changes.
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { executedPlaces } from './coverage.ts'
import type { Mutation } from './mutations.ts'
import type { TestFile } from './reach.ts'
import { runTest } from './tree.ts'

interface Run {
  /** Of the test and everything that it imports, the sources excepted. */
  readonly test: string
  /** A test that fails on the sound tree says nothing of a mutant. */
  readonly isSound: boolean
  readonly seconds: number
  readonly sources: Readonly<Record<string, { readonly hash: string; readonly starts: readonly number[] }>>
}

export interface Reach {
  readonly isSound: boolean
  readonly seconds: number
  readonly executes: boolean
}

export class ExecutedPlaces {
  readonly #tree: string
  readonly #cache: string
  readonly #places: readonly Mutation[]
  readonly #stopping: AbortSignal
  readonly #hashes = new Map<string, string>()
  readonly #runs = new Map<string, Run>()

  /** `places` are all that can be changed, wherever; runs are kept in the directory `cache`. */
  constructor(tree: string, cache: string, places: readonly Mutation[], stopping: AbortSignal) {
    this.#tree = tree
    this.#cache = cache
    this.#places = places
    this.#stopping = stopping
    for (const { file } of places) this.#hash(file)
  }

  /** While it runs, the tree is as it is in the repository: no mutant is in it. */
  async reach(test: TestFile, { file, start }: Mutation): Promise<Reach> {
    const known = this.#known(test)
    const isKnown = known !== undefined && (!known.isSound || known.sources[file]?.hash === this.#hash(file))
    const run = isKnown ? known : await this.#record(test)
    if (!run) return { isSound: false, seconds: 0, executes: false }
    return {
      isSound: run.isSound,
      seconds: run.seconds,
      executes: run.isSound && (run.sources[file]?.starts.includes(start) ?? false)
    }
  }

  #known(test: TestFile): Run | undefined {
    let run = this.#runs.get(test.file)
    if (!run) {
      try {
        run = JSON.parse(readFileSync(this.#path(test), 'utf8')) as Run
      } catch {
        return undefined
      }
      this.#runs.set(test.file, run)
    }
    return run.test === this.#hashOfTest(test) ? run : undefined
  }

  async #record(test: TestFile): Promise<Run | undefined> {
    const counted = mkdtempSync(join(tmpdir(), 'executed-'))
    try {
      const startedAtMs = performance.now()
      const isSound = await runTest(this.#tree, test.file, this.#stopping, {
        env: { NODE_V8_COVERAGE: counted, NODE_DISABLE_COMPILE_CACHE: '1' }
      })
      const seconds = (performance.now() - startedAtMs) / 1000
      if (this.#stopping.aborted) return undefined
      const executed = isSound ? executedPlaces(counted, this.#tree, this.#places) : []
      const starts = Map.groupBy(executed, ({ file }) => file)
      const sources = [...new Set(this.#places.map(({ file }) => file))].map(file => {
        const inFile = new Set(starts.get(file)?.map(({ start }) => start))
        return [file, { hash: this.#hash(file), starts: [...inFile] }] as const
      })
      const run = { test: this.#hashOfTest(test), isSound, seconds, sources: Object.fromEntries(sources) }
      // One that failed may have met a busy machine: the next sample asks it again.
      if (isSound) {
        mkdirSync(this.#cache, { recursive: true })
        writeFileSync(this.#path(test), JSON.stringify(run))
      } else console.log(`# ${test.file} fails on the tree as it is, and is left out`)
      this.#runs.set(test.file, run)
      return run
    } finally {
      rmSync(counted, { recursive: true, force: true })
    }
  }

  #path({ file }: TestFile): string {
    return join(this.#cache, `${file.replaceAll('/', '+')}.json`)
  }

  #hashOfTest({ distances }: TestFile): string {
    const own = [...distances.keys()].filter(file => !file.startsWith('src/')).sort()
    return createHash('sha256')
      .update(own.map(file => `${basename(file)} ${this.#hash(file)}\n`).join(''))
      .digest('base64url')
  }

  #hash(file: string): string {
    let hash = this.#hashes.get(file)
    if (hash === undefined) {
      hash = createHash('sha256').update(readFileSync(file)).digest('base64url')
      this.#hashes.set(file, hash)
    }
    return hash
  }
}
