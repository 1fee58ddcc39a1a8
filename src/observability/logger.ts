import { type DestinationStream, type Logger, pino } from 'pino'
import { createTimestamp } from '../lib/clock.ts'
import { Tripwire } from '../lib/tripwire/tripwire.ts'
import { LogOutput } from './log-output.ts'

const STANDARD_OUTPUT = 1
/** What a process grants its last lines, of whatever reads them. */
const LAST_LINES_MS = 500
/** In the place of a line out of which a secret cannot be cut. */
const WHOLE_LINE = '{"level":"error","msg":"a line was removed: it held a secret"}\n'

/** The log of a process, and its end. */
export interface ProcessLog {
  readonly log: Logger
  /** What every line goes through, and whatever else leaves the process. */
  readonly tripwire: Tripwire
  /** From now on every line is one of the last: none of them is lost where there is no room for all. */
  beginEnd(): void
  /** Resolves once everything is written, or after half a second. */
  flush(): Promise<void>
}

/** What each line says of the process that wrote it. */
export interface LineOrigin {
  readonly instance: string
  /** One of several workers. */
  readonly worker?: number | undefined
}

/** Lines on standard output; a reader that does not read costs lines, and nothing else. */
export function createProcessLog(
  level: string,
  origin: LineOrigin | null,
  tripwire: Tripwire = new Tripwire()
): ProcessLog {
  const output = new LogOutput(STANDARD_OUTPUT, dropped => log.error({ dropped }, 'lines of the log were dropped'))
  const log = createGuardedLog(level, line => output.write(line), tripwire, origin)
  return { log, tripwire, beginEnd: () => output.beginEnd(), flush: () => output.end(LAST_LINES_MS) }
}

/** One whose lines hold no secret when they are written. */
export function createGuardedLog(
  level: string,
  write: (line: string) => void,
  tripwire: Tripwire,
  origin: LineOrigin | null
): Logger {
  return createLogger(level, { write: line => write(tripwire.cut(line, 'log', WHOLE_LINE)) }, origin)
}

/** One JSON object a line; what may stand in it is decided where it is written. */
export function createLogger(level: string, destination: DestinationStream, base: object | null = null): Logger {
  const time = createTimestamp(Date.now)
  const options = {
    level,
    base,
    timestamp: () => `,"time":"${time()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    // A safety net: an error, request or response that reaches a line by accident says nothing of itself.
    serializers: { err: nameOf, error: nameOf, req: () => undefined, res: () => undefined }
  }
  return pino(options, destination)
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
