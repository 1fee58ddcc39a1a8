const LONG_INTEGER_DIGITS = 16
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A JSON object whose members are unknown until they are checked. */
export type JsonObject = Record<string, unknown>

interface RawJson {
  readonly rawJSON: string
}

// JSON.parse source text access (ECMAScript 2026): in Node 24, not yet in TypeScript's library.
const json = JSON as JSON & {
  rawJSON(text: string): RawJson
  isRawJSON(value: unknown): value is RawJson
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
}

/** Undefined for what is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * Parses JSON so that serialising it again gives back every integer digit by digit, also beyond 2^53.
 * Undefined for what is not JSON.
 */
export function parseJsonText(text: string): unknown {
  try {
    return holdsLongInteger(text) ? json.parse(text, keepInteger) : JSON.parse(text)
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
  const text = json.isRawJSON(value) ? value.rawJSON : typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && /^\d{1,20}$/.test(text) ? text : undefined
}

function keepInteger(_key: string, value: unknown, { source }: { source?: string }): unknown {
  const unsafe = typeof value === 'number' && !Number.isSafeInteger(value)
  return unsafe && source !== undefined && /^-?\d+$/.test(source) ? json.rawJSON(source) : value
}
