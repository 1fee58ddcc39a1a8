import type { EnvReader } from '../env-reader.ts'
import type { UidConfig } from '../uid.ts'
import type { IssuerConfig } from './issuer.ts'
import { IssuersFileError, parseIssuersFile } from './issuers-file.ts'

/** Several issuers, from a file that is read again whenever it changes. */
export interface IssuersConfig {
  readonly path: string
  readonly issuers: readonly IssuerConfig[]
  /** What a later version of the file says; throws an IssuersFileError. */
  readonly parse: (text: string) => readonly IssuerConfig[]
}

/** Each describes the one issuer that there is without the file. */
const SINGLE = [
  'AUTH_JWT_ISSUER',
  'AUTH_JWT_AUDIENCE',
  'AUTH_JWT_JWKS_URL',
  'AUTH_JWT_KEY_FILE',
  'AUTH_JWT_SECRET',
  'AUTH_JWT_SECRET_FILE',
  'AUTH_JWT_ALGORITHMS',
  'AUTH_JWT_TYP',
  'AUTH_JWT_SCOPE',
  'AUTH_JWT_CLAIMS',
  'AUTH_ACT_SCOPE',
  'AUTH_EXPLAIN_SCOPE',
  'AUTH_SDK_TOKEN_SCOPE',
  'UID_ISSUER',
  'AUTH_INTROSPECTION_URL',
  'AUTH_INTROSPECTION_CLIENT_ID',
  'AUTH_INTROSPECTION_CLIENT_SECRET',
  'AUTH_INTROSPECTION_CLIENT_SECRET_FILE',
  'AUTH_INTROSPECTION_TOKEN',
  'AUTH_INTROSPECTION_TOKEN_FILE',
  'AUTH_INTROSPECTION_TOKENS'
]

/** Undefined where single variables describe the one issuer. */
export function loadIssuersConfig(
  reader: EnvReader,
  { httpHosts, uid }: { readonly httpHosts: ReadonlySet<string>; readonly uid: UidConfig }
): IssuersConfig | undefined {
  if (!reader.has('AUTH_ISSUERS_FILE')) return undefined
  for (const name of SINGLE.filter(name => reader.has(name))) {
    reader.refuse(`${name} and AUTH_ISSUERS_FILE exclude each other: the file says it for each issuer.`)
  }
  const hasSessions = ['AUTH_SESSION_STORE_URL', 'AUTH_SESSION_STORE_URL_FILE'].some(name => reader.has(name))
  if (hasSessions && !reader.has('AUTH_SESSION_ISSUER')) {
    reader.refuse('AUTH_SESSION_ISSUER must be set beside AUTH_ISSUERS_FILE: whose users the sessions name.')
  }
  const path = reader.text('AUTH_ISSUERS_FILE', /^.{1,4096}$/, 'a path') ?? ''
  const context = { readFile: (name: string) => reader.file(name), httpHosts, uid }
  const parse = (text: string): readonly IssuerConfig[] => parseIssuersFile(text, context)
  const text = reader.file(path)
  if (text === undefined) {
    reader.refuse('AUTH_ISSUERS_FILE names a file that cannot be read.')
    return { path, issuers: [], parse }
  }
  try {
    return { path, issuers: parse(text), parse }
  } catch (error) {
    if (!(error instanceof IssuersFileError)) throw error
    for (const problem of error.problems) reader.refuse(problem)
    return { path, issuers: [], parse }
  }
}
