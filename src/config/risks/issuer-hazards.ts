// What is a risk of one issuer, whether single variables or an entry of AUTH_ISSUERS_FILE describe it.
import type { IssuerConfig, IssuerSettings } from '../issuers/issuer.ts'
import type { NamedConfig } from '../issuers/setting-names.ts'
import { isPublished } from './published-secrets.ts'

interface IssuerHazard {
  readonly what: string
  readonly reason: string
  /** The settings that make it so. */
  readonly find: (issuer: IssuerConfig) => readonly (keyof IssuerSettings)[]
}

const CHOSEN_BY_USERS = new Set(['preferred_username', 'nickname', 'name', 'email'])
const SCOPES_OF_EVERYBODY = new Set(['openid', 'profile', 'email', 'offline_access'])

export const CHOSEN_CLAIM: IssuerHazard = {
  what: '`UID_CLAIM` of `preferred_username`, `nickname`, `name` or `email`',
  reason: 'names a claim that users choose or change themselves: one could become another.',
  find: ({ uidClaim }) => (isChosenByUsers(uidClaim) ? ['uidClaim'] : [])
}

const SCOPE_OF_EVERYBODY: IssuerHazard = {
  what: '`AUTH_JWT_SCOPE`, `AUTH_ACT_SCOPE`, `AUTH_EXPLAIN_SCOPE` or `AUTH_SDK_TOKEN_SCOPE` of `openid`, `profile`, `email` or `offline_access`',
  reason: 'is a scope that every sign-in has: it keeps nobody out.',
  find: issuer =>
    (['scope', 'actScope', 'explainScope', 'sdkTokenScope'] as const).filter(setting =>
      SCOPES_OF_EVERYBODY.has(issuer[setting] ?? '')
    )
}

const OWN_KEY_FOR_ALL: IssuerHazard = {
  what: '`AUTH_JWT_SECRET` or `AUTH_JWT_KEY_FILE` without an audience and without `AUTH_JWT_CLAIMS`',
  reason: 'lets every token in that its key signs, those of reset and e-mail links, too: set AUTH_JWT_CLAIMS.',
  find: issuer => {
    if (issuer.audiences || issuer.claims.length > 0) return []
    return issuer.secrets.length > 0 ? ['secrets'] : issuer.keyFile ? ['keyFile'] : []
  }
}

const UNCHECKED_AUDIENCE: IssuerHazard = {
  what: '`AUTH_JWT_AUDIENCE=unchecked` with published keys and without `AUTH_JWT_CLAIMS`',
  reason: 'is unchecked: the tokens of every other service of the issuer are accepted.',
  find: ({ audiences, claims, secrets, keyFile }) =>
    !audiences && claims.length === 0 && secrets.length === 0 && !keyFile ? ['audience'] : []
}

/** Those that are of an issuer alone, each a row of its own. */
export const ISSUER_HAZARDS: readonly IssuerHazard[] = [SCOPE_OF_EVERYBODY, OWN_KEY_FOR_ALL, UNCHECKED_AUDIENCE]

const PUBLISHED_SECRET: Omit<IssuerHazard, 'what'> = {
  reason: 'stands in the documents of this project: everybody knows it.',
  find: ({ secrets }) => (secrets.some(secret => isPublished(secret.reveal())) ? ['secrets'] : [])
}

export function isChosenByUsers(claim: string): boolean {
  return CHOSEN_BY_USERS.has(claim)
}

/** The settings of each issuer that a hazard finds, as the operator wrote them. */
export function findIn(issuers: readonly NamedConfig[], { find }: Pick<IssuerHazard, 'find'>): string[] {
  return [...new Set(issuers.flatMap(({ config, nameOf }) => find(config).map(nameOf)))]
}

export function publishedSecretsOf(issuers: readonly NamedConfig[]): string[] {
  return findIn(issuers, PUBLISHED_SECRET)
}

/** What is warned of when issuers come from a file that changed; UID_CLAIM itself was warned of at the start. */
export function warningsOfIssuers(issuers: readonly NamedConfig[], uidClaim: string): string[] {
  return [
    ...ownClaims(issuers, uidClaim).map(found => `${found} ${CHOSEN_CLAIM.reason}`),
    ...[PUBLISHED_SECRET, ...ISSUER_HAZARDS].flatMap(hazard =>
      findIn(issuers, hazard).map(found => `${found} ${hazard.reason}`)
    )
  ]
}

/** Entries that name such a claim themselves, in place of UID_CLAIM. */
export function ownClaims(issuers: readonly NamedConfig[], uidClaim: string): string[] {
  return findIn(
    issuers.filter(({ config }) => config.uidClaim !== uidClaim),
    CHOSEN_CLAIM
  )
}
