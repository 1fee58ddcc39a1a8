import { ChatError, keyNotFound, keyScopeTooSmall, maskKey } from './errors.ts'
import type { Switches } from './switches.ts'

export type KeyScope = 'fullAccess' | 'authOnly'
export interface ApiKey {
  readonly key: string
  readonly scope: KeyScope
}

export type Keys = ReturnType<typeof createKeys>

/** The keys of the app. An authOnly key can do nothing here: what it may do is documented in three ways (docs/cometchat-facts.md §6). */
export function createKeys(initial: readonly ApiKey[], switches: Switches) {
  const scopes = new Map<string, KeyScope>(initial.map(({ key, scope }) => [key, scope]))
  const inText = (key: string): string => (switches.keyInErrors === 'masked' ? maskKey(key) : key)
  return {
    /** The key as an error text shows it. */
    inText,
    add: (key: string, scope: KeyScope) => void scopes.set(key, scope),
    revoke: (key: string) => void scopes.delete(key),
    require(key: string | undefined): void {
      if (key === undefined || key === '') {
        throw new ChatError('AUTH_ERR_EMPTY_APIKEY', 'The API key is missing. Please provide the apiKey header.')
      }
      const scope = scopes.get(key)
      if (scope === undefined) throw keyNotFound(inText(key))
      if (scope !== 'fullAccess') throw keyScopeTooSmall(inText(key))
    }
  }
}
