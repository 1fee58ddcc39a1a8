import type { FastifyBaseLogger } from 'fastify'
import type { Logger } from 'pino'
import { isObject } from '../lib/json.ts'
import type { Tripwire } from '../lib/tripwire/tripwire.ts'
import { createGuardedLog } from '../observability/logger.ts'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

/**
 * A log whose lines a host's logger writes, in its own form: the fields are those of the service, and hold no secret. A
 * line about a reply that exists or may exist is written at every level of the host but `silent`.
 */
export function createHostLog(host: FastifyBaseLogger, tripwire: Tripwire): Logger {
  // A host without a logger has one without a level, which writes nothing.
  const level = typeof host.level === 'string' ? host.level : 'silent'
  const writer = level === 'silent' ? host : host.child({}, { level: 'trace' })
  return createGuardedLog(level, line => writeLine(writer, line), tripwire, null)
}

function writeLine(writer: FastifyBaseLogger, line: string): void {
  const parsed: unknown = JSON.parse(line)
  if (!isObject(parsed)) return
  const { level, time: _, msg, ...fields } = parsed
  const method = LEVELS.find(name => name === level) ?? 'info'
  writer[method](fields, typeof msg === 'string' ? msg : '')
}
