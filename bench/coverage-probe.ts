// Runs in the process of the service, before it: counts which of its files and functions are entered, by V8's precise
// coverage. The counts begin anew with every answer. Methods, accessors and callbacks without a name count as functions; what
// V8 makes by itself to give a class its fields does not: nobody wrote it, and nobody reads it.
import { Session } from 'node:inspector/promises'
import { answerParent } from './child.ts'

export interface Entered {
  /** Relative to the repository. */
  readonly file: string
  readonly name: string
  readonly calls: number
}

const ROOT = new URL('../', import.meta.url).href
const OF_V8 = /^<.*initializer>$/
let session: Session | undefined

/** Only once the service is warm: what is counted while it is loaded costs more than loading it. */
async function startCounting(): Promise<Session> {
  const started = new Session()
  started.connect()
  await started.post('Profiler.enable')
  await started.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  return started
}

answerParent('', {
  async entered(): Promise<Entered[]> {
    session ??= await startCounting()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    return result
      .filter(({ url }) => url.startsWith(`${ROOT}src/`))
      .flatMap(({ url, functions }) =>
        functions.flatMap(({ functionName: name, ranges: [range] }) =>
          range && range.count > 0 && !OF_V8.test(name)
            ? [{ file: url.slice(ROOT.length), name, calls: range.count }]
            : []
        )
      )
  }
})
