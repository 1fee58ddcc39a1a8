import type { Secret } from '../../../lib/secret.ts'
import type { KeySource } from './key-source.ts'

/** A key source for HMAC: secrets that issuer and service share, each of them tried; a key id is not looked at. */
export function createSecretKeys(secrets: readonly Secret[]): KeySource {
  const keys = secrets.map(secret => new TextEncoder().encode(secret.reveal()))
  return {
    async *candidates() {
      yield* keys
    },
    generation: 0,
    isReady: () => true,
    size: keys.length,
    close: () => undefined
  }
}

/** Secrets for HMAC alone and public keys for everything else: no key of one kind is ever tried as the other. */
export function joinKeys(secrets: KeySource, published: KeySource): KeySource {
  return {
    candidates: (hint, signature) => (isHmac(hint.alg) ? secrets : published).candidates(hint, signature),
    get generation() {
      return published.generation
    },
    isReady: () => published.isReady(),
    get size() {
      return secrets.size + published.size
    },
    close: () => published.close()
  }
}

function isHmac(alg: string): boolean {
  return alg.startsWith('HS')
}
