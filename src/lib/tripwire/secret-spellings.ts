/** The forms in which an echoed secret is still a leaked one. */
export interface Spellings {
  /** In lower case; letters of either case count. */
  readonly inAnyCase: readonly string[]
  readonly asWritten: readonly string[]
}

const MAX_ESCAPED_TIMES = 3
/** The look behind keeps a long run of backslashes from being read once for each of them. */
const ESCAPE = /%([0-9a-f]{2})|(?<!\\)\\+(?:(?:u00|x)([0-9a-f]{2})|\/)/gi

/**
 * A secret plain, as JSON text, percent-encoded, in hex and in base64, in each of its alignments and both alphabets. Those
 * that are shorter than the least length are left out: they would be found in innocent texts, too.
 */
export function spellingsOf(secrets: readonly string[], minLength: number): Spellings {
  const distinct = (spellings: readonly string[]): string[] =>
    [...new Set(spellings)].filter(spelling => spelling.length >= minLength)
  return {
    inAnyCase: distinct(
      secrets
        .flatMap(secret => [
          secret,
          JSON.stringify(secret).slice(1, -1),
          encodeURIComponent(secret),
          Buffer.from(secret).toString('latin1'),
          Buffer.from(secret).toString('hex')
        ])
        .map(spelling => spelling.toLowerCase())
    ),
    asWritten: distinct(secrets.flatMap(base64Of))
  }
}

/** True when the text holds one of them, also with any of its characters written as `%xx`, `\\xxx` or `\\u00xx`, as often as three times over. */
export function holds(text: string, { inAnyCase, asWritten }: Spellings): boolean {
  for (const decoded of decodings(text)) {
    const lower = decoded.toLowerCase()
    if (inAnyCase.some(spelling => lower.includes(spelling))) return true
    if (asWritten.some(spelling => decoded.includes(spelling))) return true
  }
  return false
}

/** The text, and then as it is with its escapes taken away, once and again. */
export function* decodings(text: string): Generator<string, void> {
  let decoded = text
  for (let times = 0; ; times++) {
    yield decoded
    if (times === MAX_ESCAPED_TIMES || !hasEscapes(decoded)) return
    const next = decoded.replace(ESCAPE, unescaped)
    if (next === decoded) return
    decoded = next
  }
}

export function hasEscapes(text: string): boolean {
  return text.includes('\\') || text.includes('%')
}

function unescaped(_escape: string, percent?: string, backslash?: string): string {
  const hex = percent ?? backslash
  return hex === undefined ? '/' : String.fromCharCode(Number.parseInt(hex, 16))
}

/** One for each alignment of the secret in what was encoded, in either alphabet. */
function base64Of(secret: string): string[] {
  return [0, 1, 2].flatMap(offset => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]).toString('base64')
    // The outer characters also depend on the neighbours of the secret; the middle depends on the secret alone.
    const middle = encoded.slice(offset === 0 ? 0 : 4, -4)
    return [middle, middle.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
