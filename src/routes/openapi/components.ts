import type { TSchema } from '@sinclair/typebox'
import { isObject, type JsonObject } from '../../lib/json.ts'

/** How TypeBox writes an object of any names. */
const ANY_NAME = '^(.*)$'

/** What stands in the document once and is referred to; schemas that are added under one name must be the same. */
export class Components {
  readonly #schemas = new Map<string, JsonObject>()
  readonly #refusals = new Map<string, { readonly name: string; readonly response: JsonObject }>()

  /** A schema as the document has it: each part of it that has a `title` is a component, and stands there as a reference. */
  add(schema: TSchema): JsonObject {
    return this.#written(schema) as JsonObject
  }

  /** In the order of their names. */
  get schemas(): JsonObject {
    return Object.fromEntries([...this.#schemas].sort(([one], [other]) => (one < other ? -1 : 1)))
  }

  /** A refusal with a status, as a reference: operations that are refused with the same share one. */
  addRefusal(status: string, response: JsonObject): JsonObject {
    const text = JSON.stringify(response)
    const before = [...this.#refusals.values()].filter(({ name }) => name.startsWith(`${status}.`)).length
    const { name } = this.#refusals.get(text) ?? { name: `${status}.${before + 1}` }
    this.#refusals.set(text, { name, response })
    return { $ref: `#/components/responses/${name}` }
  }

  get refusals(): JsonObject {
    return Object.fromEntries([...this.#refusals.values()].map(({ name, response }) => [name, response]))
  }

  #written(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(part => this.#written(part))
    if (!isObject(value)) return value
    const { title } = value
    const written = this.#members(value)
    if (typeof title !== 'string') return written
    const known = this.#schemas.get(title)
    if (known && JSON.stringify(known) !== JSON.stringify(written)) throw new Error(`Two schemas are called ${title}.`)
    this.#schemas.set(title, written)
    return { $ref: `#/components/schemas/${title}` }
  }

  /** Generators of types make a member with a default one that has to be there, and know objects of any names by another word. */
  #members({ default: _, patternProperties, properties, ...others }: JsonObject): JsonObject {
    const members = Object.fromEntries(Object.entries(others).map(([name, value]) => [name, this.#written(value)]))
    const anyName = isObject(patternProperties) ? patternProperties[ANY_NAME] : undefined
    return {
      ...members,
      // A member may be called `title` or `default`.
      ...(isObject(properties) && {
        properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, this.#written(value)]))
      }),
      ...(isObject(anyName) && { additionalProperties: Object.keys(anyName).length === 0 || this.#written(anyName) })
    }
  }
}
