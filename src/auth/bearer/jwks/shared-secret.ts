import type { Secret } from '../../../lib/secret.ts'
import type { KeySource } from './key-source.ts'

/** A key source for HS256: one secret that issuer and service share; a key id is not looked at. */
export function createSharedKey(secret: Secret): KeySource {
  const key = new TextEncoder().encode(secret.reveal())
  return { find: async () => key, generation: 0, isReady: () => true, close: () => undefined }
}
