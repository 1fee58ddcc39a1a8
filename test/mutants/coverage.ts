// Which places in the sources a run of a test has executed, as V8 counted them in each of its processes.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly { readonly ranges: readonly Range[] }[]
}

export interface Place {
  readonly file: string
  readonly start: number
}

/** The places that were executed, by what each process of the run wrote into `directory` (NODE_V8_COVERAGE). */
export function executedPlaces<P extends Place>(directory: string, tree: string, places: readonly P[]): P[] {
  const executed = new Set<P>()
  for (const name of readdirSync(directory)) {
    const { result } = JSON.parse(readFileSync(join(directory, name), 'utf8')) as { result: ScriptCoverage[] }
    const scripts = new Map(result.map(script => [script.url, script]))
    for (const place of places) {
      const script = scripts.get(pathToFileURL(join(tree, place.file)).href)
      if (script && isExecuted(script, place.start)) executed.add(place)
    }
  }
  return places.filter(place => executed.has(place))
}

/** The smallest range around a place has its count. */
function isExecuted({ functions }: ScriptCoverage, offset: number): boolean {
  let smallest: Range | undefined
  for (const { ranges } of functions) {
    for (const range of ranges) {
      if (range.startOffset > offset || range.endOffset <= offset) continue
      if (!smallest || sizeOf(range) <= sizeOf(smallest)) smallest = range
    }
  }
  return smallest !== undefined && smallest.count > 0
}

function sizeOf({ startOffset, endOffset }: Range): number {
  return endOffset - startOffset
}
