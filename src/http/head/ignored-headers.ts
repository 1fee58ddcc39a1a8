import type { IncomingMessage } from 'node:http'
import { asciiLowerCase } from '../../lib/ascii.ts'

type Head = Pick<IncomingMessage, 'headers' | 'rawHeaders'>

/** Makes what takes headers out of a head, in every place where Node keeps them; names are in lower case. Undefined for none. */
export function createHeaderFilter(names: readonly string[]): ((head: Head) => void) | undefined {
  if (names.length === 0) return undefined
  const ignored = new Set(names)

  return ({ headers, rawHeaders }) => {
    for (const name of names) delete headers[name]
    for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
      if (ignored.has(asciiLowerCase(rawHeaders[index] ?? ''))) rawHeaders.splice(index, 2)
    }
  }
}
