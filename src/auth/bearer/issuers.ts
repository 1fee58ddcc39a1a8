import type { TrustedIssuer } from './jwt.ts'

/** An issuer as it is configured, and each `iss` that its tokens may have. */
export interface NamedIssuer {
  readonly trusted: TrustedIssuer
  /** Each with the tenant that stands in it; undefined where it is one of a kind. */
  readonly names: ReadonlyMap<string, string | undefined>
}

/**
 * Finds the issuer that a token names. One without a name, beside a key of the app's own, takes them all.
 * A tenant's tokens name it a second time, in `tid`, and that must be the same.
 */
export function issuerFinder(issuers: readonly NamedIssuer[]): (iss: unknown) => TrustedIssuer | undefined {
  const byName = new Map(
    issuers.flatMap(({ trusted, names }) =>
      Array.from(names, ([iss, tenant]): [string, TrustedIssuer] => [iss, ofTenant(trusted, iss, tenant)])
    )
  )
  const nameless = issuers.find(({ trusted }) => trusted.issuer === undefined)?.trusted
  return iss => (typeof iss === 'string' ? byName.get(iss) : undefined) ?? nameless
}

function ofTenant(trusted: TrustedIssuer, issuer: string, tenant: string | undefined): TrustedIssuer {
  if (tenant === undefined) return trusted
  const isTenant = { name: 'tid', values: [tenant], isForbidden: false }
  return { ...trusted, issuer, claims: [isTenant, ...trusted.claims] }
}
