import { type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import { isObject } from '../../lib/json.ts'

/** Words about a schema, for people; one with a `title` is a component of that name in the document of the API. */
interface Words {
  readonly title?: string
  readonly description?: string
}

/** An object without members that its schema does not name. */
export function StrictObject<T extends TProperties>(
  members: T,
  options: Words & { minProperties?: number } = {}
): TObject<T> {
  return Type.Object(members, { additionalProperties: false, ...options })
}

/** An object that may have members beside those that its schema names. */
export function OpenObject<T extends TProperties>(members: T, words: Words = {}): TObject<T> {
  return Type.Object(members, { additionalProperties: true, ...words })
}

/** One enum with one clear message, where a union of literals would give an `anyOf` for each. */
export function OneOf<const T extends readonly string[]>(values: T, options: Words & { default?: T[number] } = {}) {
  return Type.Unsafe<T[number]>({ type: 'string', enum: values, ...options })
}

/**
 * Makes what compiles the schemas of a scope: nothing is coerced or taken out, and an object that names its members says
 * whether it may have others. A schema that does not say so keeps the service from starting.
 */
export function createStrictCompiler(): FastifySchemaCompiler<TSchema> {
  const ajv = new Ajv({
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: true,
    allErrors: true,
    // So that a refusal can say of a null that it is one; it says no other value.
    verbose: true,
    // The schemas are part of this program; whether they are valid is for a test (test/routes), not for every start.
    validateSchema: false
  })
  return ({ schema, method, url, httpPart }) => {
    const [open] = openObjects(schema, '')
    if (open !== undefined) {
      throw new Error(`${method} ${url}: the schema of ${httpPart}${open} has to say additionalProperties.`)
    }
    return ajv.compile(schema)
  }
}

/** JSON Schema keywords that hold one schema, a list of them, or one for each name. */
const NESTED = ['properties', 'patternProperties', 'items', 'additionalProperties', 'anyOf', 'oneOf', 'allOf', 'not']
const BY_NAME: ReadonlySet<string> = new Set(['properties', 'patternProperties'])

/** Pointers to the object schemas that name members and leave it open whether there may be others. */
function openObjects(schema: unknown, pointer: string): string[] {
  if (!isObject(schema)) return []
  const isOpen = schema['properties'] !== undefined && schema['additionalProperties'] === undefined
  const nested = NESTED.flatMap(keyword => {
    const value = schema[keyword]
    const place = `${pointer}/${keyword}`
    if (!Array.isArray(value) && !BY_NAME.has(keyword)) return openObjects(value, place)
    return Object.entries(value ?? {}).flatMap(([name, part]) => openObjects(part, `${place}/${name}`))
  })
  return isOpen ? [pointer, ...nested] : nested
}
