import { parseKeyFile } from '../../../lib/service/keys/key-file.ts'
import { watchFileText } from '../../../lib/watch-file.ts'
import type { Emit } from '../../../observability/events.ts'
import { type KeySet, parseKeySet } from './key-set.ts'
import type { KeyHint, KeySource, VerificationKey } from './key-source.ts'

export interface FileKeysOptions {
  readonly path: string
  /** What the file held at the start. */
  readonly text: string
  /** Those that the issuer's tokens may have: a version of the file without a key for any lets nobody in. */
  readonly algorithms: readonly string[]
  readonly emit: Emit
  /** Whose keys, where there are several issuers. */
  readonly issuer?: string
}

/** Keys of a file, which is read again whenever it changes; a version that is wrong changes nothing. */
export function createFileKeys({ path, text, algorithms, emit, issuer }: FileKeysOptions): KeySource {
  let keySet = keysIn(text)
  let generation = 0
  const changed = (problem?: string): void =>
    emit({
      name: 'key-file-changed',
      keys: keySet.size,
      ...(issuer !== undefined && { issuer }),
      ...(problem !== undefined && { problem })
    })
  const close = watchFileText(
    path,
    next => {
      try {
        const read = keysIn(next)
        if (read.text === keySet.text) return
        if (!algorithms.some(alg => read.fits({ alg })))
          return changed('the file holds no key for the algorithms that count')
        keySet = read
        generation++
        changed()
      } catch (error) {
        changed(error instanceof SyntaxError ? `the file ${error.message}` : 'the file holds no key that verifies')
      }
    },
    () => changed('the file cannot be read')
  )
  return {
    async *candidates(hint: KeyHint): AsyncIterable<VerificationKey> {
      yield* keySet.named(hint)
      if (hint.kid !== undefined && !keySet.hasId(hint.kid)) yield* keySet.nameless(hint)
    },
    get generation() {
      return generation
    },
    isReady: () => true,
    get size() {
      return keySet.size
    },
    close
  }
}

/** Throws a SyntaxError or a KeysProblem. */
export function keysIn(text: string): KeySet {
  return parseKeySet(parseKeyFile(text))
}
