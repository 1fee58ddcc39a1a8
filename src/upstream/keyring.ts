import type { Secret } from '../lib/secret.ts'
import { SecretScan } from '../lib/tripwire/secret-scan.ts'

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
const MIN_SPELLING_CHARACTERS = 8

/** Throws when it is given no key at all. */
export function createKeyring(initial: readonly Secret[], monotonic: () => number): Keyring {
  let keys: readonly Secret[] = []
  let scan = new SecretScan([])
  let refusedAtMs: number | undefined

  function replace(next: readonly Secret[]): void {
    if (next.length === 0) throw new Error('a keyring needs a key')
    keys = next
    scan = new SecretScan(
      next.map(key => [key.fingerprint, key.reveal()]),
      MIN_SPELLING_CHARACTERS
    )
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
    leaksIn: text => scan.find(text).length > 0
  }
}
