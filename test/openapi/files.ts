import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const DOCUMENT_FILE = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url))
export const PAGE_FILE = fileURLToPath(new URL('../../docs/http.md', import.meta.url))

/** What of a document its readers here go by; the linter knows the rest. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, ApiSchema>>
    readonly responses: Readonly<Record<string, ApiAnswer>>
    readonly parameters: Readonly<Record<string, ApiParameter>>
    readonly headers: Readonly<Record<string, { readonly description: string }>>
    readonly examples: Readonly<Record<string, ApiExample>>
  }
}
export interface ApiOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description: string
  readonly security: readonly Readonly<Record<string, unknown>>[]
  readonly parameters: readonly (ApiParameter | Reference)[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, ApiAnswer | Reference>>
}
export interface ApiParameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description: string
  readonly schema: ApiSchema
}
export interface ApiAnswer {
  readonly description: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly content?: Content
}
export type Content = Readonly<Record<string, { readonly schema: ApiSchema; readonly examples?: Examples }>>
type Examples = Readonly<Record<string, ApiExample | Reference>>
export interface ApiExample {
  readonly summary: string
  readonly value: unknown
}
export interface Reference {
  readonly $ref: string
}
export interface ApiSchema {
  readonly $ref?: string
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, ApiSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | ApiSchema
  readonly items?: ApiSchema
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly ApiSchema[]
  readonly oneOf?: readonly ApiSchema[]
  readonly allOf?: readonly ApiSchema[]
  readonly not?: ApiSchema
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly minimum?: number
  readonly maximum?: number
}

/** As it stands in docs/openapi.json. */
export function documentText(document: object): string {
  return `${JSON.stringify(document, undefined, 2)}\n`
}

export function readDocument(): OpenApi {
  return JSON.parse(readFileSync(DOCUMENT_FILE, 'utf8'))
}

/** What a reference leads to, or the part itself. */
export function resolved<T extends object>(document: OpenApi, part: T | Reference): T {
  if (!('$ref' in part) || typeof part.$ref !== 'string') return part as T
  const names = part.$ref.split('/').slice(1)
  return names.reduce<unknown>((whole, name) => (whole as Record<string, unknown>)[name], document) as T
}
