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
  /** True when the text holds a key: plain, or in base64, hex or URL encoding. */
  leaksIn(text: string): boolean
}

const MIN_SPELLING_LENGTH = 8

/** Throws when it is given no key at all. */
export function createKeyring(initial: readonly Secret[], monotonic: () => number): Keyring {
  let keys: readonly Secret[] = []
  let spellings: readonly string[] = []
  let refusedAtMs: number | undefined

  function replace(next: readonly Secret[]): void {
    if (next.length === 0) throw new Error('a keyring needs a key')
    keys = next
    spellings = next.flatMap(spellingsOf)
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
    leaksIn: text => spellings.some(spelling => text.includes(spelling))
  }
}

/** The forms in which an echoed key is still a leaked key; base64 has three, one for each alignment. */
function spellingsOf(key: Secret): string[] {
  const plain = key.reveal()
  const hex = Buffer.from(plain).toString('hex')
  const urlEncoded = encodeURIComponent(plain)
  const base64 = [0, 1, 2].flatMap(offset => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(plain)]).toString('base64')
    // The outer characters also depend on the neighbours of the key; the middle depends on the key alone.
    const middle = encoded.slice(offset === 0 ? 0 : 4, -4)
    return [middle, middle.replaceAll('+', '-').replaceAll('/', '_')]
  })
  const candidates = [
    plain,
    JSON.stringify(plain).slice(1, -1),
    urlEncoded,
    urlEncoded.replaceAll(/%../g, code => code.toLowerCase()),
    hex,
    hex.toUpperCase(),
    ...base64
  ]
  // A shorter text would be found in innocent answers, too; no real key is that short.
  return [...new Set(candidates)].filter(candidate => candidate.length >= MIN_SPELLING_LENGTH)
}
