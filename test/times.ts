// What each file took in earlier runs: those on this machine, or else those that are kept in the repository, without which
// a first run would begin its longest files last.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

type Seconds = Record<string, number>

const NAMES = { seconds: 'seconds.json', cpuSeconds: 'cpu-seconds.json' } as const
const RECORDED_FROM_S = 1.5
const inRepository = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export class Times {
  readonly seconds: Seconds
  /** Of a processor, with those of the processes that a file starts. */
  readonly cpuSeconds: Seconds
  readonly #directory: string

  /** A directory of this machine. */
  constructor(directory: string) {
    this.#directory = directory
    const read = (name: string): Seconds => ({
      ...readSeconds(inRepository(name)),
      ...readSeconds(`${directory}/${name}`)
    })
    this.seconds = read(NAMES.seconds)
    this.cpuSeconds = read(NAMES.cpuSeconds)
  }

  /** For the next run here. */
  keep(): void {
    for (const kind of ['seconds', 'cpuSeconds'] as const)
      writeFileSync(`${this.#directory}/${NAMES[kind]}`, JSON.stringify(this[kind]))
  }

  /** In the repository: of the files that there are, and that take long enough to matter. */
  record(files: readonly string[]): void {
    const long = files.filter(file => (this.seconds[file] ?? 0) >= RECORDED_FROM_S)
    // One that has not run since its processor time is counted has none, which is not the same as taking none.
    for (const kind of ['seconds', 'cpuSeconds'] as const) {
      const rounded = long.flatMap(file => {
        const seconds = this[kind][file]
        return seconds === undefined ? [] : [[file, Math.round(seconds)] as const]
      })
      writeFileSync(inRepository(NAMES[kind]), `${JSON.stringify(Object.fromEntries(rounded), null, 2)}\n`)
    }
  }
}

function readSeconds(path: string): Seconds {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {}
  }
}
