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
  return pino(options, destination ?? turnByTurn(pino.destination({ dest: 1, sync: true })))
}

/** PIPE_BUF of Linux: so much reaches a pipe in one piece, whoever else writes to it. */
const MAX_WRITE_LENGTH = 4096
const ORDINARY = '{"level":"info"'

/**
 * Writes the ordinary lines of one turn of the event loop together, since a write costs as much as the line in it.
 * Nothing waits for longer than that, and bad news not at all: the last lines of a process are the ones that matter.
 */
export function turnByTurn(destination: DestinationStream): DestinationStream {
  let lines = ''
  const flush = (): void => {
    if (lines !== '') destination.write(lines)
    lines = ''
  }
  process.on('exit', flush)
  return {
    write(line) {
      if (lines.length + line.length > MAX_WRITE_LENGTH) flush()
      if (lines === '') setImmediate(flush)
      lines += line
      if (!line.startsWith(ORDINARY)) flush()
    }
  }
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
