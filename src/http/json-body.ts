import { AppError, type Violation } from '../errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
export const MAX_DEPTH = 32
const MAX_VIOLATIONS = 20
/** A member name that is safe to repeat in an answer; any other is pointed at by its parent. */
const PLAIN_NAME = /^[A-Za-z0-9_.@-]{1,64}$/

/** Parses a body; throws `malformed-request` for what is not JSON in UTF-8 without a byte order mark. */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) throw new AppError('malformed-request', 'The body is empty.')
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw new AppError('malformed-request', 'The body is not valid JSON in UTF-8.')
  }
}

/**
 * What JSON.parse lets through and nobody wants to pass on: lone surrogates, numbers that it rounds, `__proto__`
 * and nesting that would break whoever serialises it.
 */
export function jsonViolations(value: unknown): Violation[] {
  const violations: Violation[] = []
  if (!isFine(value)) inspect(value, '', 1, violations)
  return violations
}

/** RFC 6901 pointer to a member; its parent where the name itself should not be repeated. */
export function memberPointer(parent: string, name: string): string {
  return PLAIN_NAME.test(name) ? `${parent}/${name}` : parent
}

function inspect(value: unknown, pointer: string, depth: number, found: Violation[]): void {
  if (typeof value === 'string') {
    found.push({ pointer, code: 'wrong-format', detail: 'The text holds half of a surrogate pair.' })
  } else if (typeof value === 'number') {
    found.push({ pointer, code: 'out-of-range', detail: 'The number is too large to be kept exactly.' })
  } else if (depth > MAX_DEPTH) {
    found.push({ pointer: '', code: 'too-deep', detail: `Nothing may be nested deeper than ${MAX_DEPTH}.` })
  } else if (Array.isArray(value)) {
    inspectItems(value, pointer, depth, found)
  } else if (typeof value === 'object' && value !== null) {
    inspectMembers(value as Record<string, unknown>, pointer, depth, found)
  }
}

function inspectItems(values: readonly unknown[], pointer: string, depth: number, found: Violation[]): void {
  for (let index = 0; index < values.length; index++) {
    if (found.length >= MAX_VIOLATIONS) return
    if (!isFine(values[index])) inspect(values[index], `${pointer}/${index}`, depth + 1, found)
  }
}

function inspectMembers(value: Record<string, unknown>, pointer: string, depth: number, found: Violation[]): void {
  for (const name of Object.keys(value)) {
    if (found.length >= MAX_VIOLATIONS) return
    if (name === '__proto__' || !name.isWellFormed()) {
      found.push({ pointer, code: 'not-allowed', detail: 'A member has a name that is not allowed.' })
    }
    if (!isFine(value[name])) inspect(value[name], memberPointer(pointer, name), depth + 1, found)
  }
}

/** Most values are: a body of many small ones must not cost a pointer for each. */
function isFine(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return isKeptExactly(value)
  return typeof value !== 'object' || value === null
}

/** RFC 7493 §2.2: an integer beyond 2^53 would reach CometChat as another one. */
function isKeptExactly(value: number): boolean {
  return Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
}
