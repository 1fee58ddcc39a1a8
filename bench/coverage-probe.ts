// Runs in the process of the service, before it: counts which of its files and functions are entered, by V8's precise
// coverage. The counts begin anew with every answer.
import { Session } from 'node:inspector/promises'
import { answerParent } from './child.ts'

export interface Entered {
  /** Relative to the repository. */
  readonly file: string
  readonly name: string
  readonly calls: number
}

const ROOT = new URL('../', import.meta.url).href
const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

answerParent('', {
  async entered(): Promise<Entered[]> {
    const { result } = await session.post('Profiler.takePreciseCoverage')
    return result
      .filter(({ url }) => url.startsWith(`${ROOT}src/`))
      .flatMap(({ url, functions }) =>
        functions.flatMap(({ functionName: name, ranges: [range] }) =>
          range && range.count > 0 ? [{ file: url.slice(ROOT.length), name, calls: range.count }] : []
        )
      )
  }
})
