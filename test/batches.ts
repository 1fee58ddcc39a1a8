// Which test files share a process: what tap, TypeScript and the modules of the service cost to load is then paid once
// for all of them, and most files take less than that.
import { readFileSync } from 'node:fs'

/** As long as this a batch may take: long ones would leave processors idle at the end. */
const BATCH_S = 15
/** One that sets something for its process, and what is expected to take longer than loading costs, has its own. */
const SETS_PROCESS = /^t\.(setTimeout|jobs|beforeEach|afterEach|before|after)\b/m
const LONG_S = 8

/** Lists of files, the longest first. */
export function batchesOf(files: readonly string[], expectedSeconds: (file: string) => number): string[][] {
  const sorted = files
    .map(file => ({ file, seconds: expectedSeconds(file) }))
    .sort((a, b) => b.seconds - a.seconds || a.file.localeCompare(b.file))
  const batches: { files: string[]; seconds: number; isFull: boolean }[] = []
  for (const { file, seconds } of sorted) {
    const isAlone = seconds >= LONG_S || SETS_PROCESS.test(readFileSync(file, 'utf8'))
    const batch = isAlone ? undefined : batches.find(found => !found.isFull && found.seconds + seconds <= BATCH_S)
    if (batch === undefined) batches.push({ files: [file], seconds, isFull: isAlone })
    else {
      batch.files.push(file)
      batch.seconds += seconds
    }
  }
  return batches.sort((a, b) => b.seconds - a.seconds).map(({ files }) => files)
}
