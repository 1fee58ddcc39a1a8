// Which test files share a process: what tap, TypeScript and the modules of the service cost to load is then paid once
// for all of them, and most files take less than that.
import { readFileSync } from 'node:fs'

/** As long as this a batch may take: long ones would leave processors idle at the end. */
const BATCH_S = 30
/** One that sets something for its process, and what takes so long that loading is nothing beside it, has its own. */
const SETS_PROCESS = /^t\.(jobs|beforeEach|afterEach|before|after)\b/m
const LONG_S = 15
/** Of a file that has never run. */
const UNKNOWN_S = { acceptance: 5, other: 1 } as const

/** Of its seconds, a file that mostly waits keeps a processor busy for less. */
const WAITING_SHARE = 0.25

export interface Batch {
  readonly files: readonly string[]
  /** It leaves the processors to others: it may run beside as many as they can take. */
  readonly mostlyWaits: boolean
}

/** By the names of files. */
interface Times {
  readonly seconds: Readonly<Record<string, number>>
  readonly cpuSeconds: Readonly<Record<string, number>>
}

/** The longest first. */
export function batchesOf(files: readonly string[], { seconds, cpuSeconds }: Times): Batch[] {
  const sorted = files
    .map(file => ({ file, seconds: seconds[file] ?? guessSeconds(file) }))
    .sort((a, b) => b.seconds - a.seconds || a.file.localeCompare(b.file))
  const batches: { files: string[]; seconds: number; isFull: boolean }[] = []
  for (const { file, seconds } of sorted) {
    const isAlone = seconds >= LONG_S || setsProcess(file)
    const batch = isAlone ? undefined : batches.find(found => !found.isFull && found.seconds + seconds <= BATCH_S)
    if (batch === undefined) batches.push({ files: [file], seconds, isFull: isAlone })
    else {
      batch.files.push(file)
      batch.seconds += seconds
    }
  }
  return batches
    .sort((a, b) => b.seconds - a.seconds)
    .map(({ files, seconds, isFull }) => {
      const busyS = cpuSeconds[files[0] ?? ''] ?? seconds
      return { files, mostlyWaits: isFull && busyS < seconds * WAITING_SHARE }
    })
}

function guessSeconds(file: string): number {
  return file.includes('/acceptance/') ? UNKNOWN_S.acceptance : UNKNOWN_S.other
}

function setsProcess(file: string): boolean {
  return SETS_PROCESS.test(readFileSync(file, 'utf8'))
}
