import { LOGIN_COOKIE, SESSION_COOKIE } from '../lib/service/cookie-names.ts'
import { loadAppSessionConfig } from './app-session.ts'
import type { EnvReader } from './env-reader.ts'
import { COOKIE_NAME, loadTokenPlaces } from './headers/token-places.ts'
import { type IntrospectionConfig, loadIntrospectionConfig } from './introspection.ts'
import { type IssuerConfig, type IssuerSettings, issuerConfig } from './issuers/issuer.ts'
import { type IssuersConfig, loadIssuersConfig } from './issuers/issuers.ts'
import { nameOfVariable } from './issuers/setting-names.ts'
import { mixedUsers, type OtherWay, populationOf, withSameUsers } from './issuers/shared-users.ts'
import { LOGIN_VARIABLES, loadLoginConfig } from './login.ts'
import { ISSUER, MEDIA_TYPE, SCOPE } from './patterns.ts'
import type { UidConfig } from './uid.ts'

const MAX_SECRETS = 4
const MIN_SECRET_BYTES = 32

/** Each of these switches on a way to sign in without bearer tokens. */
const OTHER_WAYS = [...LOGIN_VARIABLES, 'AUTH_SESSION_STORE_URL', 'AUTH_SESSION_STORE_URL_FILE'] as const
/** Each of these says that bearer tokens are wanted. */
const BEARER = [
  'AUTH_JWT_ISSUER',
  'AUTH_JWT_AUDIENCE',
  'AUTH_JWT_SECRET',
  'AUTH_JWT_SECRET_FILE',
  'AUTH_JWT_KEY_FILE',
  'AUTH_INTROSPECTION_URL'
]
const BEARER_ONLY = [
  'AUTH_JWT_JWKS_URL',
  'AUTH_JWT_ALGORITHMS',
  'AUTH_JWT_CLAIMS',
  'AUTH_JWT_TYP',
  'AUTH_JWT_SCOPE',
  'AUTH_ACT_SCOPE',
  'AUTH_EXPLAIN_SCOPE',
  'AUTH_SDK_TOKEN_SCOPE'
] as const

export interface AuthConfig {
  /** Undefined where bearer tokens are off, or where there are several issuers. */
  readonly jwt: IssuerConfig | undefined
  readonly issuers: IssuersConfig | undefined
  readonly introspection: IntrospectionConfig
  readonly login: ReturnType<typeof loadLoginConfig>
  readonly session: ReturnType<typeof loadAppSessionConfig>
  readonly sessionCookie: string
  readonly tokenPlaces: ReturnType<typeof loadTokenPlaces>
  readonly httpHosts: ReadonlySet<string>
}

interface AuthContext {
  readonly httpHosts: ReadonlySet<string>
  readonly uid: UidConfig
}

/** Who may call, and how they prove it. */
export function loadAuthConfig(reader: EnvReader, { httpHosts, uid }: AuthContext): AuthConfig {
  const several = loadIssuersConfig(reader, { httpHosts, uid })
  const isSingle = several === undefined
  const introspection = isSingle ? loadIntrospectionConfig(reader, httpHosts) : undefined
  const login = loadLoginConfig(reader)
  const jwt = isSingle ? bearer(reader, { introspection, httpHosts, uid }) : undefined
  const named = loadAppSessionConfig(reader, jwt?.issuer)
  const issuers = several && withOtherWays(reader, several, { session: named, login, uid })
  // The sessions of an issuer's users are theirs, under whatever name these go.
  const session = named && issuers ? { ...named, issuer: populationOf(issuers.issuers, named.issuer) } : named
  const cookie = sessionCookie(reader)
  const tokenPlaces = loadTokenPlaces(reader, {
    isBearerOn: jwt !== undefined || issuers !== undefined,
    sessionCookie: session && cookie
  })
  return { jwt, issuers, introspection, login, session, sessionCookie: cookie, tokenPlaces, httpHosts }
}

/** The issuers of the file, of which no version may mix their users with those of a session or of the login. */
function withOtherWays(
  reader: EnvReader,
  several: IssuersConfig,
  { session, login, uid }: Pick<AuthConfig, 'session' | 'login'> & { readonly uid: UidConfig }
): IssuersConfig {
  const isSessionNamed = session !== undefined && reader.has('AUTH_SESSION_ISSUER')
  const ways: OtherWay[] = [
    ...(isSessionNamed ? [{ variable: 'AUTH_SESSION_ISSUER' as const, issuer: session.issuer }] : []),
    ...(login ? [{ variable: 'AUTH_LOGIN_ISSUER' as const, issuer: login.issuer }] : [])
  ].filter(({ variable }) => !reader.isRefused(variable))
  for (const problem of mixedUsers(several.issuers, ways, uid)) reader.refuse(problem)
  return { ...several, parse: text => withSameUsers(several.parse(text), several.issuers, ways, uid) }
}

interface BearerContext extends AuthContext {
  readonly introspection: IntrospectionConfig
}

/** Undefined when callers prove who they are in another way only. */
function bearer(reader: EnvReader, context: BearerContext): IssuerConfig | undefined {
  if (BEARER.some(name => reader.has(name))) return singleIssuer(reader, context)
  const hasOther = OTHER_WAYS.some(name => reader.has(name))
  const useless = BEARER_ONLY.filter(name => reader.has(name))
  if (!hasOther && useless.length === 0) return refuseNobody(reader)
  for (const name of useless) {
    reader.refuse(`${name} needs AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE: without them bearer tokens are off.`)
  }
  return undefined
}

function refuseNobody(reader: EnvReader): undefined {
  return reader.refuse(
    'Nobody could sign in: set AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE for bearer tokens, AUTH_SESSION_STORE_URL ' +
      'and AUTH_SESSION_SECRET for the session cookie of your backend, or the AUTH_LOGIN_ variables.'
  )
}

/** The issuer that single variables describe. */
function singleIssuer(reader: EnvReader, { introspection, httpHosts, uid }: BearerContext): IssuerConfig {
  const isWritten = (setting: keyof IssuerSettings): boolean => {
    const name = nameOfVariable(setting)
    return reader.has(name) || (setting === 'secrets' && reader.has(`${name}_FILE`))
  }
  refuseMissingIssuer(reader, isWritten('secrets') || isWritten('keyFile'))
  const hasKeysOfBothKinds = isWritten('secrets') && refuseSecretBesideKeys(reader)
  const algorithms = reader.list('AUTH_JWT_ALGORITHMS')
  const shared = reader.secrets('AUTH_JWT_SECRET', MIN_SECRET_BYTES, MAX_SECRETS)
  const settings: IssuerSettings = {
    issuer: reader.one('AUTH_JWT_ISSUER', ISSUER, 'the exact `iss` of the tokens', 'AUTH_ISSUERS_FILE holds several'),
    audience: audiences(reader),
    secrets: shared?.secrets ?? [],
    secretFile: shared?.file,
    jwksUrl: reader.secureUrl('AUTH_JWT_JWKS_URL', httpHosts)?.href,
    keyFile: reader.text('AUTH_JWT_KEY_FILE', /^.{1,4096}$/, 'a path'),
    // They are right for the keys that the operator keeps.
    algorithms: algorithms.length === 0 || hasKeysOfBothKinds ? undefined : algorithms,
    typ: reader.one('AUTH_JWT_TYP', MEDIA_TYPE, 'a media type such as at+jwt'),
    scope: reader.one('AUTH_JWT_SCOPE', SCOPE, 'one scope'),
    actScope: reader.one('AUTH_ACT_SCOPE', SCOPE, 'one scope'),
    explainScope: reader.one('AUTH_EXPLAIN_SCOPE', SCOPE, 'one scope'),
    sdkTokenScope: reader.one('AUTH_SDK_TOKEN_SCOPE', SCOPE, 'one scope'),
    claims: reader.text('AUTH_JWT_CLAIMS', /^.{1,4096}$/, 'at most 4096 characters'),
    usersOf: uid.issuer
  }
  return issuerConfig(settings, {
    nameOf: nameOfVariable,
    isWritten,
    refuse: problem => reader.refuse(problem),
    readFile: path => reader.file(path),
    httpHosts,
    uidClaim: uid.claim,
    asksIssuer: introspection !== undefined,
    readsNoKeys: introspection?.tokens === 'all'
  })
}

/** Beside a key of the app's own a token need not say who made it; then somebody else has to say whose users they are. */
function refuseMissingIssuer(reader: EnvReader, hasOwnKey: boolean): void {
  if (reader.has('AUTH_JWT_ISSUER')) return
  if (!hasOwnKey) {
    reader.refuse('AUTH_JWT_ISSUER must be set: the exact `iss` of the tokens, by which their keys are found.')
  } else if (!reader.has('UID_ISSUER')) {
    reader.refuse(
      'UID_ISSUER must be set beside AUTH_JWT_SECRET or AUTH_JWT_KEY_FILE where AUTH_JWT_ISSUER is not: a name for ' +
        'whose users they are, kept for ever.'
    )
  }
}

function refuseSecretBesideKeys(reader: EnvReader): boolean {
  const others = ['AUTH_JWT_JWKS_URL', 'AUTH_JWT_KEY_FILE'].filter(name => reader.has(name))
  for (const name of others) {
    reader.refuse(
      `AUTH_JWT_SECRET and ${name} exclude each other: a key is shared or public, never both. To move from one to the ` +
        'other, AUTH_ISSUERS_FILE takes both for one issuer.'
    )
  }
  return others.length > 0
}

function audiences(reader: EnvReader): readonly string[] | undefined {
  const listed = reader.list('AUTH_JWT_AUDIENCE')
  if (!listed.every(audience => ISSUER.test(audience))) {
    reader.refuse('AUTH_JWT_AUDIENCE must list what the `aud` of the tokens may be.')
  }
  return listed.length === 0 ? undefined : listed
}

function sessionCookie(reader: EnvReader): string {
  const name = reader.one('AUTH_SESSION_COOKIE', COOKIE_NAME, 'a cookie name') ?? 'connect.sid'
  if (name === SESSION_COOKIE || name === LOGIN_COOKIE) {
    reader.refuse(`AUTH_SESSION_COOKIE must not be ${name}: the login of this service has a cookie of that name.`)
  }
  return name
}
