/** Why the keys of an issuer cannot be used: a closed list, but for the status that its server answered. */
export type KeysReason =
  | `keys-status-${number}`
  | 'keys-unreachable'
  | 'keys-too-large'
  | 'keys-not-json'
  | 'keys-not-a-set'
  | 'keys-empty'
  | 'keys-other-issuer'
  | 'keys-no-address'
  | 'keys-insecure'

/** What went wrong when keys were read; for the log. */
export class KeysProblem extends Error {
  override readonly name = 'KeysProblem'
  readonly reason: KeysReason
  /** What an operator may do about it; of our own words alone. */
  readonly hint: string | undefined

  constructor(reason: KeysReason, hint?: string) {
    super(reason)
    this.reason = reason
    this.hint = hint
  }
}
