import { type DestinationStream, type Logger, pino } from 'pino'

/** One JSON object a line on standard output; what may stand in it is decided where it is written. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // A safety net: an error, request or response that reaches a line by accident says nothing of itself.
    serializers: { err: nameOf, error: nameOf, req: () => undefined, res: () => undefined }
  }
  // Written before the next thing happens: the last line of a process that ends is the one that matters most.
  return pino(options, destination ?? pino.destination({ dest: 1, sync: true }))
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
