import { type DestinationStream, type Logger, pino } from 'pino'

/** One JSON object a line on standard output; what may stand in it is decided where it is written. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: createTimestamp(),
    formatters: { level: (label: string) => ({ level: label }) },
    // A safety net: an error, request or response that reaches a line by accident says nothing of itself.
    serializers: { err: nameOf, error: nameOf, req: () => undefined, res: () => undefined }
  }
  // Written before the next thing happens: the last line of a process that ends is the one that matters most.
  return pino(options, destination ?? pino.destination({ dest: 1, sync: true }))
}

/** RFC 3339 in UTC; the second changes rarely, so it is only written out when it does. */
function createTimestamp(): () => string {
  let secondMs = Number.NaN
  let text = ''
  return () => {
    const nowMs = Date.now()
    const millisecond = nowMs % 1000
    if (nowMs - millisecond !== secondMs) {
      secondMs = nowMs - millisecond
      text = `,"time":"${new Date(secondMs).toISOString().slice(0, -'000Z'.length)}`
    }
    return `${text}${String(millisecond).padStart(3, '0')}Z"`
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
