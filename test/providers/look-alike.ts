// What a look-alike of an identity provider is: its tokens, metadata and keys in the shape that its documents describe.

/** `doubtful` tokens are signed by the provider for somebody, and are refused because the settings say so. */
export type Verdict = 'valid' | 'near-miss' | 'doubtful'

export interface LookAlike {
  /** As the row of `docs/authentication.md` is called. */
  readonly provider: string
  /** Where the shapes are described. */
  readonly sources: readonly string[]
  /** The variables that a team sets, word for word as the document has them. */
  readonly settings: Readonly<Record<string, string>>
  /** By the path under `/run` that a setting names: text, or what becomes JSON. */
  readonly files?: Readonly<Record<string, unknown>>
  /** What the provider serves, by address. */
  readonly pages: Readonly<Record<string, unknown>>
  readonly tokens: readonly LookAlikeToken[]
}

export interface LookAlikeToken {
  readonly title: string
  readonly token: string
  /** Where the token stands; in `Authorization` unless given. */
  readonly headers?: (token: string) => Readonly<Record<string, string>>
  readonly verdict: Verdict
  /** Of a valid token: whom the reply is posted as. */
  readonly uid?: string
  /** Of any other: the word in the log, and the status where it is not 401. */
  readonly reason?: string
  readonly status?: number
}

export function valid(title: string, token: string, uid: string): LookAlikeToken {
  return { title, token, uid, verdict: 'valid' }
}

export function nearMiss(title: string, token: string, reason: string, status = 401): LookAlikeToken {
  return { title, token, reason, status, verdict: 'near-miss' }
}

export function doubtful(title: string, token: string, reason: string, status = 401): LookAlikeToken {
  return { title, token, reason, status, verdict: 'doubtful' }
}

/** Metadata as OpenID Connect Discovery 1.0 §3 describes them, at the address where the issuer has them. */
export function discovery(issuer: string, jwksUri: string): Readonly<Record<string, unknown>> {
  return {
    [`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`]: {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      jwks_uri: jwksUri,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256']
    }
  }
}
