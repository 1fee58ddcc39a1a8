import { isObject, type JsonObject } from '../../lib/json.ts'
import { MAX_VIOLATIONS, type Violation } from '../../lib/refusals/violations.ts'

export const MAX_DEPTH = 32
/** Far more entries than any schema here allows: a schema would describe every one of them. */
export const MAX_ENTRIES = 1000

interface Inspection {
  readonly freeForm: () => readonly string[]
  readonly violations: Violation[]
}

/**
 * What JSON.parse lets through and no route wants: lone surrogates, numbers that it rounds, `__proto__`, nesting that
 * would break a serialiser, and lists or objects of more than 1,000 entries. Below the pointers in `freeForm`, which is
 * asked only about such a crowd, any number of entries is fine: no schema looks at them there.
 */
export function hygieneViolations(body: unknown, freeForm: () => readonly string[] = () => []): Violation[] {
  const violations: Violation[] = []
  if (!isFine(body)) inspect(body, '', 1, { freeForm, violations })
  return violations
}

function inspect(value: unknown, pointer: string, depth: number, inspection: Inspection): void {
  const { violations } = inspection
  if (typeof value === 'string') {
    violations.push({ pointer, code: 'wrong-format', detail: 'The text holds half of a surrogate pair.' })
  } else if (typeof value === 'number') {
    violations.push({ pointer, code: 'out-of-range', detail: 'The number is too large to be kept exactly.' })
  } else if (depth > MAX_DEPTH) {
    violations.push({
      pointer: '',
      code: 'too-deep',
      detail: `Nothing may be nested deeper than ${MAX_DEPTH}.`,
      limit: MAX_DEPTH
    })
  } else if (Array.isArray(value)) {
    inspectItems(value, pointer, depth, inspection)
  } else if (isObject(value)) {
    inspectMembers(value, pointer, depth, inspection)
  }
}

function inspectItems(values: readonly unknown[], pointer: string, depth: number, inspection: Inspection): void {
  if (isCrowded(values.length, pointer, inspection)) return
  for (let index = 0; index < values.length; index++) {
    if (inspection.violations.length >= MAX_VIOLATIONS) return
    if (!isFine(values[index])) inspect(values[index], `${pointer}/${index}`, depth + 1, inspection)
  }
}

function inspectMembers(value: JsonObject, pointer: string, depth: number, inspection: Inspection): void {
  const names = Object.keys(value)
  if (isCrowded(names.length, pointer, inspection)) return
  for (const name of names) {
    if (inspection.violations.length >= MAX_VIOLATIONS) return
    if (name === '__proto__' || !name.isWellFormed()) {
      inspection.violations.push({ pointer, code: 'not-allowed', detail: 'A member has a name that is not allowed.' })
    }
    if (!isFine(value[name])) inspect(value[name], memberPointer(pointer, name), depth + 1, inspection)
  }
}

/** Looks no further where it says so: a crowd is refused as one. */
function isCrowded(entries: number, pointer: string, { freeForm, violations }: Inspection): boolean {
  if (entries <= MAX_ENTRIES) return false
  if (freeForm().some(start => pointer === start || pointer.startsWith(`${start}/`))) return false
  violations.push({
    pointer,
    code: 'too-many',
    detail: `It may have at most ${MAX_ENTRIES} entries.`,
    limit: MAX_ENTRIES,
    actual: entries
  })
  return true
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

/** A member name that is safe to repeat in an answer; any other is pointed at by its parent. */
const PLAIN_NAME = /^[A-Za-z0-9_.@-]{1,64}$/

/** RFC 6901 pointer to a member; its parent where the name itself should not be repeated. */
export function memberPointer(parent: string, name: string): string {
  return PLAIN_NAME.test(name) ? `${parent}/${name}` : parent
}
