import { asciiLowerCase, trimBlanks } from '../../lib/ascii.ts'

/** What this service makes of a `Prefer` header (RFC 7240). */
export interface Preferences {
  /** `wait=N` (§4.3), in milliseconds. */
  readonly waitMs?: number
  /** `return=minimal` (§4.2). */
  readonly minimal: boolean
  /** `handling=explain`, a value of our own: the reply is not sent, and the answer says what would become of it. */
  readonly explain: boolean
}

/** §2: a token, and after `=` a token, a quoted text or nothing. */
const PAIR = /^([!#$%&'*+.^_`|~\w-]+)[ \t]*(?:=[ \t]*([!#$%&'*+.^_`|~\w-]*|"(?:[^"\\]|\\.)*"))?$/
const NOTHING: Preferences = { minimal: false, explain: false }

/**
 * Reads a `Prefer` header, several of them joined by commas included. What it does not know it ignores, as §2 asks, an
 * unknown value as if it were not there; of what it knows the first one counts.
 */
export function parsePrefer(header: string | undefined): Preferences {
  if (header === undefined) return NOTHING
  const preferences = preferencesIn(header)
  const known = (name: string, isKnown: RegExp, isParameterToo: boolean): string | undefined =>
    preferences.find(one => one.name === name && isKnown.test(one.value) && (isParameterToo || !one.isParameter))?.value
  const seconds = known('wait', /^\d{1,6}$/, true)
  return {
    minimal: known('return', /^(minimal|representation)$/, false) === 'minimal',
    // Also behind a semicolon, where it is a parameter: taken for nothing, the reply would be sent.
    explain: known('handling', /^explain$/, true) !== undefined,
    ...(seconds !== undefined && { waitMs: Number(seconds) * 1000 })
  }
}

interface Preference {
  /** In lower case, as the value is. */
  readonly name: string
  readonly value: string
  /** Behind a semicolon it belongs to the preference before it. */
  readonly isParameter: boolean
}

/** What cannot be read is no preference; what an open quote begins goes to the end. */
function preferencesIn(header: string): Preference[] {
  const found: Preference[] = []
  let beginsAt = 0
  let isParameter = false
  for (const end of [...separatorsIn(header), header.length]) {
    const [, name = '', value = ''] = PAIR.exec(trimBlanks(header.slice(beginsAt, end))) ?? []
    found.push({ name: asciiLowerCase(name), value: wordOf(value), isParameter })
    isParameter = header[end] === ';'
    beginsAt = end + 1
  }
  return found
}

/** Where commas and semicolons are that do not stand in quotes. */
function separatorsIn(header: string): number[] {
  const places: number[] = []
  let isQuoted = false
  for (let index = 0; index < header.length; index++) {
    const character = header[index]
    if (isQuoted && character === '\\') index++
    else if (character === '"') isQuoted = !isQuoted
    else if (!isQuoted && (character === ',' || character === ';')) places.push(index)
  }
  return places
}

function wordOf(value: string): string {
  const text = value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value
  return asciiLowerCase(text)
}
