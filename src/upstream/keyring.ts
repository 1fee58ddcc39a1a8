import type { Secret } from '../lib/secret.ts'

/** The REST API keys: one in use, perhaps one more for the time of a rotation. */
export interface Keyring {
  current(): Secret
  /** A key that CometChat has not refused in this call yet. */
  untried(tried: readonly Secret[]): Secret | undefined
  /** CometChat took this key: it is the one to begin with from now on. */
  accepted(key: Secret): void
  /** CometChat refused every key there is. */
  refused(): void
  /** Milliseconds on the monotonic clock since every key was refused; undefined while one works. */
  refusedForMs(): number | undefined
  replace(keys: readonly Secret[]): void
  fingerprints(): readonly string[]
  /**
   * True when the text holds a key: plain, in hex or in base64, in letters of either case, and with any of its
   * characters written as `%xx`, `\\xxx` or `\\u00xx`, as often as three times over.
   */
  leaksIn(text: string): boolean
}

/** A shorter text would be found in innocent answers, too; no real key is that short. */
const MIN_SPELLING_LENGTH = 8
const MAX_ESCAPED_TIMES = 3
/** The look behind keeps a long run of backslashes from being read once for each of them. */
const ESCAPE = /%([0-9a-f]{2})|(?<!\\)\\+(?:(?:u00|x)([0-9a-f]{2})|\/)/gi

/** Throws when it is given no key at all. */
export function createKeyring(initial: readonly Secret[], monotonic: () => number): Keyring {
  let keys: readonly Secret[] = []
  let spellings: Spellings = { inAnyCase: [], asWritten: [] }
  let refusedAtMs: number | undefined

  function replace(next: readonly Secret[]): void {
    if (next.length === 0) throw new Error('a keyring needs a key')
    keys = next
    spellings = spellingsOf(next)
    refusedAtMs = undefined
  }
  replace(initial)

  return {
    current: () => keys[0] as Secret,
    untried: tried => keys.find(key => !tried.includes(key)),
    accepted(key) {
      refusedAtMs = undefined
      if (keys[0] !== key && keys.includes(key)) keys = [key, ...keys.filter(other => other !== key)]
    },
    refused() {
      refusedAtMs = monotonic()
    },
    refusedForMs: () => (refusedAtMs === undefined ? undefined : monotonic() - refusedAtMs),
    replace,
    fingerprints: () => keys.map(key => key.fingerprint),
    leaksIn: text => holds(text, spellings)
  }
}

/** The forms in which an echoed key is still a leaked key. */
interface Spellings {
  /** In lower case. */
  readonly inAnyCase: readonly string[]
  readonly asWritten: readonly string[]
}

function holds(text: string, spellings: Spellings): boolean {
  let decoded = text
  for (let times = 0; ; times++) {
    const lower = decoded.toLowerCase()
    if (spellings.inAnyCase.some(spelling => lower.includes(spelling))) return true
    if (spellings.asWritten.some(spelling => decoded.includes(spelling))) return true
    if (times === MAX_ESCAPED_TIMES || !(decoded.includes('%') || decoded.includes('\\'))) return false
    const next = decoded.replace(ESCAPE, unescaped)
    if (next === decoded) return false
    decoded = next
  }
}

function unescaped(_escape: string, percent?: string, backslash?: string): string {
  const hex = percent ?? backslash
  return hex === undefined ? '/' : String.fromCharCode(Number.parseInt(hex, 16))
}

function spellingsOf(keys: readonly Secret[]): Spellings {
  const plain = keys.map(key => key.reveal())
  return {
    inAnyCase: distinct(
      plain.flatMap(key => [
        key.toLowerCase(),
        JSON.stringify(key).slice(1, -1).toLowerCase(),
        Buffer.from(key).toString('hex')
      ])
    ),
    asWritten: distinct(plain.flatMap(base64Of))
  }
}

/** One for each alignment of the key in what was encoded, in either alphabet. */
function base64Of(key: string): string[] {
  return [0, 1, 2].flatMap(offset => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(key)]).toString('base64')
    // The outer characters also depend on the neighbours of the key; the middle depends on the key alone.
    const middle = encoded.slice(offset === 0 ? 0 : 4, -4)
    return [middle, middle.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

function distinct(spellings: readonly string[]): string[] {
  return [...new Set(spellings)].filter(spelling => spelling.length >= MIN_SPELLING_LENGTH)
}
