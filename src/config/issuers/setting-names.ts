// How the settings of an issuer are called where an operator wrote them.
import type { IssuerConfig, IssuerSettings } from './issuer.ts'

/** An issuer, and how each of its settings is called. */
export interface NamedConfig {
  readonly config: IssuerConfig
  readonly nameOf: (setting: keyof IssuerSettings) => string
}

const VARIABLE_OF: Readonly<Record<keyof IssuerSettings, string>> = {
  issuer: 'AUTH_JWT_ISSUER',
  audience: 'AUTH_JWT_AUDIENCE',
  jwksUrl: 'AUTH_JWT_JWKS_URL',
  keyFile: 'AUTH_JWT_KEY_FILE',
  secrets: 'AUTH_JWT_SECRET',
  secretFile: 'AUTH_JWT_SECRET_FILE',
  algorithms: 'AUTH_JWT_ALGORITHMS',
  typ: 'AUTH_JWT_TYP',
  scope: 'AUTH_JWT_SCOPE',
  actScope: 'AUTH_ACT_SCOPE',
  explainScope: 'AUTH_EXPLAIN_SCOPE',
  sdkTokenScope: 'AUTH_SDK_TOKEN_SCOPE',
  claims: 'AUTH_JWT_CLAIMS',
  uidClaim: 'UID_CLAIM',
  uidStrip: 'UID_STRIP',
  usersOf: 'UID_ISSUER',
  tenants: 'AUTH_ISSUERS_FILE'
}

/** The variable that a setting of the one issuer is written in. */
export function nameOfVariable(setting: keyof IssuerSettings): string {
  return VARIABLE_OF[setting]
}

/** A member of an entry, counted from 0, as messages call it. */
export function nameOfMember(index: number, setting: keyof IssuerSettings): string {
  return `AUTH_ISSUERS_FILE entry ${index}, ${setting === 'secrets' ? 'secretFile' : setting}`
}

/** Every issuer whose tokens count: the one of the single variables, or those of the file. */
export function namedIssuers(
  jwt: IssuerConfig | undefined,
  issuers: { readonly issuers: readonly IssuerConfig[] } | undefined
): readonly NamedConfig[] {
  if (issuers) {
    return issuers.issuers.map((config, index) => ({ config, nameOf: setting => nameOfMember(index, setting) }))
  }
  return jwt ? [{ config: jwt, nameOf: nameOfVariable }] : []
}
