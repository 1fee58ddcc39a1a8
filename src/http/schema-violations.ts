import type { FastifyError } from 'fastify'
import { isObject } from '../lib/json.ts'
import type { Violation, ViolationCode } from '../lib/refusals/violations.ts'
import { memberPointer } from './guard/body-hygiene.ts'

export type SchemaFinding = NonNullable<FastifyError['validation']>[number]

const CODES: ReadonlyMap<string, ViolationCode> = new Map([
  ['required', 'missing'],
  ['additionalProperties', 'unknown-member'],
  ['type', 'wrong-type'],
  ['enum', 'not-allowed'],
  ['const', 'not-allowed'],
  ['pattern', 'wrong-format'],
  ['minLength', 'too-short'],
  ['minItems', 'too-few'],
  ['minProperties', 'too-few'],
  ['maxLength', 'too-long'],
  ['maxItems', 'too-many'],
  ['maxProperties', 'too-many'],
  ['minimum', 'out-of-range'],
  ['maximum', 'out-of-range'],
  ['anyOf', 'wrong-type']
])
const UNITS: Readonly<Partial<Record<ViolationCode, string>>> = {
  'too-short': 'character',
  'too-long': 'character',
  'too-few': 'entry',
  'too-many': 'entry'
}
const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null'
}

/**
 * What a finding of a schema is told as: in words of ours that say what to change, with limits as numbers, and without the
 * value. `hints` says of an unknown member, by its pointer, where it belongs.
 */
export function violationOf(finding: SchemaFinding, hints: ReadonlyMap<string, string>): Violation {
  const { keyword, instancePath, params } = finding
  const { missingProperty, additionalProperty } = params as Record<string, unknown>
  const member = missingProperty ?? additionalProperty
  const pointer = typeof member === 'string' ? memberPointer(instancePath, member) : instancePath
  const code = CODES.get(keyword) ?? 'not-valid'
  if (code === 'missing') return { pointer, code, detail: 'The member is missing.' }
  if (code === 'unknown-member') return { pointer, code, detail: hints.get(pointer) ?? 'The member is not known here.' }
  const value = seenBy(finding)
  if (value === null) return { pointer, code, detail: 'It is null; leave the member out instead.' }
  const limit = limitOf(finding)
  const actual = limit === undefined ? undefined : measureOf(value)
  return {
    pointer,
    code,
    detail: `It ${wishOf(code, finding, limit)}.`,
    ...(limit !== undefined && { limit }),
    ...(actual !== undefined && { actual })
  }
}

function wishOf(code: ViolationCode, finding: SchemaFinding, limit: number | undefined): string {
  const { keyword } = finding
  const { type, allowedValues } = finding.params as Record<string, unknown>
  if (limit !== undefined) {
    const bound = keyword.startsWith('min') ? 'at least' : 'at most'
    const unit = UNITS[code]
    return unit === undefined ? `must be ${bound} ${limit}` : `must have ${bound} ${counted(limit, unit)}`
  }
  if (Array.isArray(allowedValues)) return `must be one of: ${allowedValues.join(', ')}`
  if (typeof type === 'string' && type in TYPES) return `must be ${TYPES[type]}`
  const wanted = descriptionOf(finding)
  if (wanted !== undefined) return `must be ${wanted}`
  return code === 'wrong-format' ? 'has another form than is wanted' : 'is not what is documented'
}

function counted(count: number, unit: string): string {
  if (count === 1) return `1 ${unit}`
  return `${count} ${unit === 'entry' ? 'entries' : `${unit}s`}`
}

/** How the schema describes what it wants; ours describe each pattern. */
function descriptionOf(finding: SchemaFinding): string | undefined {
  const schema = 'parentSchema' in finding ? finding.parentSchema : undefined
  const description = isObject(schema) ? schema['description'] : undefined
  return typeof description === 'string' ? description : undefined
}

function limitOf({ params }: SchemaFinding): number | undefined {
  const { limit } = params as Record<string, unknown>
  return typeof limit === 'number' ? limit : undefined
}

/** As JSON Schema counts: code points, entries, or the number itself. */
function measureOf(value: unknown): number | undefined {
  if (typeof value === 'string') return [...value].length
  if (Array.isArray(value)) return value.length
  if (isObject(value)) return Object.keys(value).length
  return typeof value === 'number' ? value : undefined
}

function seenBy(finding: SchemaFinding): unknown {
  return 'data' in finding ? finding.data : undefined
}
