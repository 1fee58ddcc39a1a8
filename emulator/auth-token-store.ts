// The auth tokens that there are. Pure memory, like the other state.

export interface AuthToken {
  readonly uid: string
  readonly authToken: string
  /** Unix seconds. */
  readonly createdAt: number
}

/** Of each user; older ones are dropped (docs: Properties and Constraints). */
export const MAX_TOKENS = 100
const HEX_DIGITS = 30

export type AuthTokens = ReturnType<typeof createAuthTokens>

export function createAuthTokens(now: () => number, random: () => number) {
  const byUser = new Map<string, AuthToken[]>()
  const tokensOf = (uid: string): readonly AuthToken[] => byUser.get(uid) ?? []
  return {
    tokensOf,
    /** Of the recorded form: the UID, Unix seconds, hexadecimal digits. */
    draw(uid: string): AuthToken {
      const createdAt = Math.floor(now() / 1000)
      const digits = Array.from({ length: HEX_DIGITS }, () => Math.floor(random() * 16).toString(16)).join('')
      return { uid, authToken: `${uid}_${createdAt}${digits}`, createdAt }
    },
    add(token: AuthToken): void {
      byUser.set(token.uid, [...tokensOf(token.uid), token].slice(-MAX_TOKENS))
    },
    /** Without a token all of them go. */
    remove(uid: string, authToken?: string): void {
      byUser.set(
        uid,
        tokensOf(uid).filter(known => authToken !== undefined && known.authToken !== authToken)
      )
    }
  }
}
