import type { Secret } from '../../../lib/secret.ts'
import { parseSharedSecrets } from '../../../lib/service/keys/shared-secrets.ts'
import { watchFileText } from '../../../lib/watch-file.ts'
import type { Emit } from '../../../observability/events.ts'
import type { KeySource } from './key-source.ts'

export interface SecretKeysOptions {
  /** As they were at the start. */
  readonly secrets: readonly Secret[]
  /** Where they are of a file, which is read again whenever it changes; a version that is wrong changes nothing. */
  readonly path?: string | undefined
  readonly emit: Emit
  /** Whose secrets, where there are several issuers. */
  readonly issuer?: string
}

/** A key source for HMAC: secrets that issuer and service share, each of them tried; a key id is not looked at. */
export function createSecretKeys({ secrets, path, emit, issuer }: SecretKeysOptions): KeySource {
  let current = secrets
  let keys = bytesOf(secrets)
  let generation = 0
  const changed = (problem?: string): void =>
    emit({
      name: 'secret-file-changed',
      secrets: current.map(({ fingerprint }) => fingerprint),
      ...(issuer !== undefined && { issuer }),
      ...(problem !== undefined && { problem })
    })

  function replace(text: string): void {
    try {
      const next = parseSharedSecrets(text)
      if (next.length === current.length && next.every((one, index) => current[index]?.equals(one))) return
      current = next
      keys = bytesOf(next)
      generation++
      changed()
    } catch (error) {
      changed(error instanceof SyntaxError ? `the file ${error.message}` : 'the file cannot be used')
    }
  }

  const close = path === undefined ? undefined : watchFileText(path, replace, () => changed('the file cannot be read'))
  return {
    async *candidates() {
      yield* keys
    },
    get generation() {
      return generation
    },
    isReady: () => true,
    get size() {
      return keys.length
    },
    close: () => close?.()
  }
}

/** Secrets for HMAC alone and public keys for everything else: no key of one kind is ever tried as the other. */
export function joinKeys(secrets: KeySource, published: KeySource): KeySource {
  let generation = 0
  let former = [secrets.generation, published.generation]
  return {
    candidates: (hint, signature) => (isHmac(hint.alg) ? secrets : published).candidates(hint, signature),
    get generation() {
      const now = [secrets.generation, published.generation]
      if (now.some((one, index) => one !== former[index])) generation++
      former = now
      return generation
    },
    isReady: () => published.isReady(),
    get size() {
      return secrets.size + published.size
    },
    get ageMs() {
      return published.ageMs
    },
    close() {
      secrets.close()
      published.close()
    }
  }
}

function bytesOf(secrets: readonly Secret[]): Uint8Array[] {
  return secrets.map(secret => new TextEncoder().encode(secret.reveal()))
}

function isHmac(alg: string): boolean {
  return alg.startsWith('HS')
}
