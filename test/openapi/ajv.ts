import { Ajv2020 } from 'ajv/dist/2020.js'
import type { OpenApi } from './files.ts'

/** Whether a value is what the schema at a JSON pointer of the document describes; undefined where it is, else what is wrong. */
export function createJudge(document: OpenApi): (pointer: string, value: unknown) => string | undefined {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
  ajv.addSchema(document, 'openapi')
  return (pointer, value) => {
    const validate = ajv.getSchema(`openapi#${encodeURI(pointer)}`)
    if (!validate) throw new Error(`The document has no schema at ${pointer}.`)
    return validate(value) ? undefined : ajv.errorsText(validate.errors)
  }
}

/** A JSON pointer (RFC 6901). */
export function pointerOf(...names: readonly string[]): string {
  return names.map(name => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
