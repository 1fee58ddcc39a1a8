const LONG_INTEGER = /\d{16}/
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

/**
 * Parses JSON so that serialising it again gives back every integer digit by digit, also beyond 2^53.
 * Undefined for what is not UTF-8 or not JSON.
 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    const text = utf8.decode(bytes)
    return LONG_INTEGER.test(text) ? json.parse(text, keepInteger) : JSON.parse(text)
  } catch {
    return undefined
  }
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
