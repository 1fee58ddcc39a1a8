import { randomUUID } from 'node:crypto'

const LONG_INTEGER_DIGITS = 16
const [QUOTE, MINUS, BACKSLASH] = [0x22, 0x2d, 0x5c]
// It leaves out a byte order mark, which says nothing about JSON: RFC 8259 §8.1 lets a reader ignore it.
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A JSON object whose members are unknown until they are checked. */
export type JsonObject = Record<string, unknown>

interface RawJson {
  readonly rawJSON: string
}

// JSON.parse source text access (ECMAScript 2026): in Node since version 21, not yet in TypeScript's library.
const json = JSON as JSON & {
  rawJSON?(text: string): RawJson
  isRawJSON?(value: unknown): value is RawJson
}

/** The text without a byte order mark; undefined for what is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * Parses JSON so that serialising it again gives back every integer digit by digit, also beyond 2^53.
 * Undefined for what is not JSON. On Node 20, which runs the plugin only, an integer beyond 2^53 becomes a text of its digits.
 */
export function parseJsonText(text: string): unknown {
  try {
    return holdsLongInteger(text) ? parseKeepingIntegers(text) : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The same for bytes; undefined also for what is not UTF-8. */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes)
  return text === undefined ? undefined : parseJsonText(text)
}

/** So many digits in a row cover one place in so many: only around those places is there anything to count. */
function holdsLongInteger(text: string): boolean {
  for (let place = LONG_INTEGER_DIGITS - 1; place < text.length; place += LONG_INTEGER_DIGITS) {
    if (isDigit(text, place) && digitsAround(text, place) >= LONG_INTEGER_DIGITS) return true
  }
  return false
}

function digitsAround(text: string, place: number): number {
  let start = place
  while (isDigit(text, start - 1)) start--
  let end = place + 1
  while (isDigit(text, end)) end++
  return end - start
}

/** False beyond either end of the text, where there is no code. */
function isDigit(text: string, place: number): boolean {
  const code = text.charCodeAt(place)
  return code >= 0x30 && code <= 0x39
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The digits of a message id, whether CometChat wrote it as a string or as a number. */
export function idText(value: unknown): string | undefined {
  const text = json.isRawJSON?.(value) ? value.rawJSON : typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && /^\d{1,20}$/.test(text) ? text : undefined
}

/**
 * JSON.parse with a reviver would show each number's digits, too, but it recurses: a deeply nested text overflows the
 * stack. JSON.parse alone does not, so each long integer goes through it as a string with a mark of its own.
 */
function parseKeepingIntegers(text: string): unknown {
  // Drawn for each text, so that no text can hold the mark already.
  const mark = randomUUID()
  const root = { value: JSON.parse(markLongIntegers(text, mark)) as unknown }
  const objects: object[] = [root]
  for (let object = objects.pop(); object !== undefined; object = objects.pop()) {
    for (const [name, value] of Object.entries(object)) {
      if (typeof value === 'object' && value !== null) objects.push(value)
      else if (typeof value === 'string' && value.startsWith(mark)) {
        // An assignment to `__proto__` would change the prototype instead.
        Object.defineProperty(object, name, { ...OWN_MEMBER, value: asWritten(value.slice(mark.length)) })
      }
    }
  }
  return root.value
}

function asWritten(digits: string): unknown {
  return json.rawJSON?.(digits) ?? digits
}

const OWN_MEMBER = { writable: true, enumerable: true, configurable: true }

/** The text with every integer that JavaScript cannot hold written as a string: the mark, then its digits. */
function markLongIntegers(text: string, mark: string): string {
  let marked = ''
  let copiedTo = 0
  for (let place = 0; place < text.length; place++) {
    const code = text.charCodeAt(place)
    if (code === QUOTE) place = endOfString(text, place)
    else if (code === MINUS || isDigit(text, place)) {
      const end = endOfNumber(text, place)
      const number = text.slice(place, end)
      if (/^-?\d+$/.test(number) && !Number.isSafeInteger(Number(number))) {
        // Throws for what JSON allows no number to be, such as 007.
        JSON.parse(number)
        marked += `${text.slice(copiedTo, place)}"${mark}${number}"`
        copiedTo = end
      }
      place = end - 1
    }
  }
  return marked + text.slice(copiedTo)
}

/** Where the string that begins at a quote ends: the next quote behind an even number of backslashes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end
  }
  return text.length
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1
  while (isDigit(text, end) || '.eE+-'.includes(text.charAt(end) || ' ')) end++
  return end
}

/** JSON with sorted members, as RFC 8785 orders and writes them. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = value as Readonly<Record<string, unknown>>
  let text = ''
  // By UTF-16 code units, as RFC 8785 has it.
  for (const name of Object.keys(members).sort()) {
    const member = members[name]
    if (member === undefined) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${canonicalJson(member)}`
  }
  return `{${text}}`
}
