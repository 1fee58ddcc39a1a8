import type { FastifyBaseLogger } from 'fastify'
import { type Logger, pino } from 'pino'
import { isObject } from '../lib/json.ts'
import type { Tripwire } from '../lib/tripwire/tripwire.ts'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
type Level = (typeof LEVELS)[number]

/** In the place of a line out of which a secret cannot be cut. */
const WHOLE_LINE = '[{},"a line was removed: it held a secret"]'

/**
 * A log whose lines a host's logger writes, in its own form: the fields are those of the service, and hold no secret. A
 * line about a reply that exists or may exist is written at every level of the host but `silent`.
 */
export function createHostLog(host: FastifyBaseLogger, tripwire: Tripwire): Logger {
  // A logger need not say its level; one that writes nothing, of a host without, does not either.
  const level = typeof host.level === 'string' ? host.level : 'info'
  const writer = level === 'silent' ? host : host.child({}, { level: 'trace' })
  const logMethod = (line: readonly unknown[], _method: unknown, value: number): void =>
    writeLine(writer, levelOf(value), line, tripwire)
  return pino({ level, base: null, hooks: { logMethod } }, { write: () => undefined })
}

/** Of fields and a message, or of a message. */
function writeLine(writer: FastifyBaseLogger, level: Level, line: readonly unknown[], tripwire: Tripwire): void {
  const [first, second = ''] = line
  const fields = isObject(first) ? withoutErrors(first) : {}
  const message = typeof first === 'string' ? first : String(second)
  const text = JSON.stringify([fields, message])
  const rest = tripwire.cut(text, 'log', WHOLE_LINE)
  const [kept, said]: [object, string] = rest === text ? [fields, message] : JSON.parse(rest)
  writer[level](kept, said)
}

/** As in the service's own log, an error that reaches a line by accident says nothing of itself. */
function withoutErrors(fields: Readonly<Record<string, unknown>>): object {
  const { err, error } = fields
  return err instanceof Error || error instanceof Error ? { ...fields, err: undefined, error: undefined } : fields
}

function levelOf(value: number): Level {
  return LEVELS.find(name => pino.levels.values[name] === value) ?? 'info'
}
