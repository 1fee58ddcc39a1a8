// One issuer, whether single variables or an entry of AUTH_ISSUERS_FILE describe it.
import { type ClaimRule, demandsValue, parseClaimRules } from '../../lib/claims.ts'
import type { Secret } from '../../lib/secret.ts'
import { algorithmsServedBy, PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHMS } from '../../lib/service/keys/jwt-algorithms.ts'
import { parseKeyFile } from '../../lib/service/keys/key-file.ts'
import { urlFault } from '../env-reader.ts'
import { hopelessRules } from './hopeless-rules.ts'

/** A file of public keys, and what it held when it was read. */
export interface KeyFile {
  readonly path: string
  readonly text: string
}

export interface IssuerConfig {
  /** The exact `iss`; undefined beside a key of the app's own. With `tenants` it holds `{tenantid}`. */
  readonly issuer: string | undefined
  readonly usersOf: string
  /** Undefined where the audience is not looked at. */
  readonly audiences: readonly string[] | undefined
  readonly claims: readonly ClaimRule[]
  readonly typ: string | undefined
  readonly scope: string | undefined
  readonly actScope: string | undefined
  readonly explainScope: string | undefined
  readonly sdkTokenScope: string | undefined
  readonly algorithms: readonly string[]
  /** As they were at the start; where they are of a file, it is watched. */
  readonly secrets: readonly Secret[]
  readonly secretFile: string | undefined
  readonly jwksUrl: string | undefined
  readonly keyFile: KeyFile | undefined
  readonly uidClaim: string
  readonly uidStrip: string | undefined
  readonly tenants: readonly string[] | undefined
}

/** What an operator wrote of an issuer, each member well-formed by itself. */
export interface IssuerSettings {
  readonly issuer?: string | undefined
  readonly audience?: readonly string[] | undefined
  readonly jwksUrl?: string | undefined
  readonly keyFile?: string | undefined
  readonly secrets?: readonly Secret[] | undefined
  readonly secretFile?: string | undefined
  readonly algorithms?: readonly string[] | undefined
  readonly typ?: string | undefined
  readonly scope?: string | undefined
  readonly actScope?: string | undefined
  readonly explainScope?: string | undefined
  readonly sdkTokenScope?: string | undefined
  readonly claims?: string | undefined
  readonly uidClaim?: string | undefined
  readonly uidStrip?: string | undefined
  readonly usersOf?: string | undefined
  readonly tenants?: readonly string[] | undefined
}

export interface IssuerContext {
  /** How a setting is called where it was written: a variable, or a member of an entry. */
  readonly nameOf: (setting: keyof IssuerSettings) => string
  /** Settings that were written and refused already: nothing that follows from them is complained about. */
  readonly isWritten: (setting: keyof IssuerSettings) => boolean
  readonly refuse: (problem: string) => void
  /** The text of a file; undefined when it cannot be read. */
  readonly readFile: (path: string) => string | undefined
  readonly httpHosts: ReadonlySet<string>
  readonly uidClaim: string
  /** Whether its issuer is asked about a token that is no JWT. */
  readonly asksIssuer?: boolean
  /** Whether every token is asked about, so that no key is read. */
  readonly readsNoKeys?: boolean
}

/** The word for an audience that is not looked at. */
const UNCHECKED = 'unchecked'
export const TENANT = '{tenantid}'

/** The issuer, with every mistake refused; what it holds then does not matter. */
export function issuerConfig(settings: IssuerSettings, context: IssuerContext): IssuerConfig {
  const {
    issuer,
    secrets = [],
    jwksUrl,
    typ,
    scope,
    actScope,
    explainScope,
    sdkTokenScope,
    uidStrip,
    tenants
  } = settings
  const { nameOf, refuse } = context
  const algorithms = algorithmsOf(settings, context)
  const keyFile = keyFileOf(settings, algorithms, context)
  const claims = claimsOf(settings, context)
  refuseKeyConflicts(context)
  refuseUnfoundKeys(settings, context)
  refuseTenants(settings, context)
  if (actScope !== undefined && actScope === scope) {
    refuse(`${nameOf('actScope')} must differ from ${nameOf('scope')}: every caller could speak for everybody.`)
  }
  if (explainScope !== undefined && explainScope === scope) {
    refuse(`${nameOf('explainScope')} must differ from ${nameOf('scope')}: it is for operators, not for every caller.`)
  }
  if (sdkTokenScope !== undefined && sdkTokenScope === scope) {
    refuse(
      `${nameOf('sdkTokenScope')} must differ from ${nameOf('scope')}: every service could hold everybody's tokens.`
    )
  }
  const config = {
    issuer,
    usersOf: settings.usersOf ?? issuer ?? '',
    audiences: audiencesOf(settings, claims, context),
    claims,
    typ,
    scope,
    actScope,
    explainScope,
    sdkTokenScope,
    algorithms,
    secrets,
    secretFile: settings.secretFile,
    jwksUrl,
    keyFile,
    uidClaim: settings.uidClaim ?? context.uidClaim,
    uidStrip,
    tenants
  }
  for (const problem of hopelessRules(config, context)) refuse(problem)
  return config
}

function keyFileOf(
  { keyFile, algorithms: chosen }: IssuerSettings,
  algorithms: readonly string[],
  { nameOf, isWritten, refuse, readFile }: IssuerContext
): KeyFile | undefined {
  if (keyFile === undefined) return undefined
  const text = readFile(keyFile)
  const name = nameOf('keyFile')
  if (text === undefined) return void refuse(`${name} names ${unreadable(keyFile)}.`)
  try {
    const served = new Set(parseKeyFile(text).keys.flatMap(algorithmsServedBy))
    // Beside a key set, which is refused, the algorithms may be those of its keys.
    const isUsable = isWritten('jwksUrl') || algorithms.some(name => served.has(name))
    if (!isUsable && chosen && served.size > 0) {
      refuse(`${nameOf('algorithms')} must list one that a key of ${name} is for: ${[...served].join(', ')}.`)
    } else if (!isUsable && !chosen) refuse(`The file of ${name} holds no key that verifies a token.`)
    return { path: keyFile, text }
  } catch (error) {
    return void refuse(`The file of ${name} ${error instanceof SyntaxError ? error.message : 'cannot be used'}.`)
  }
}

function unreadable(path: string): string {
  return path.includes(',') ? 'one file, and this looks like a list' : 'a file that cannot be read'
}

function claimsOf({ claims }: IssuerSettings, { nameOf, refuse }: IssuerContext): readonly ClaimRule[] {
  if (claims === undefined) return []
  try {
    return parseClaimRules(claims)
  } catch (error) {
    refuse(`${nameOf('claims')} ${error instanceof SyntaxError ? error.message : 'cannot be read'}.`)
    return []
  }
}

/** Undefined where it is left out and may be, or where it says so. */
function audiencesOf(
  { audience = [] }: IssuerSettings,
  claims: readonly ClaimRule[],
  { nameOf, isWritten, refuse }: IssuerContext
): readonly string[] | undefined {
  if (audience.includes(UNCHECKED)) {
    if (audience.length > 1) refuse(`${nameOf('audience')} must be ${UNCHECKED} alone, or audiences.`)
    return undefined
  }
  if (audience.length > 0) return audience
  const hasOwnKey = isWritten('secrets') || isWritten('keyFile')
  // Rules that were refused may have been meant to demand a value.
  const demandsClaim = claims.some(demandsValue) || (isWritten('claims') && claims.length === 0)
  if (isWritten('audience') || hasOwnKey || demandsClaim) return undefined
  refuse(
    `${nameOf('audience')} must be set: tokens for other services would count. It may be left out where ` +
      `${nameOf('claims')} demands the value of a claim (client_id=…), or be the word ${UNCHECKED}.`
  )
  return undefined
}

function refuseKeyConflicts({ nameOf, isWritten, refuse }: IssuerContext): void {
  if (isWritten('jwksUrl') && isWritten('keyFile')) {
    refuse(`${nameOf('keyFile')} and ${nameOf('jwksUrl')} exclude each other: keys have one source.`)
  }
}

/** Without a URL or a key of its own the key set is found by discovery, and then the issuer is where it is fetched. */
function refuseUnfoundKeys({ issuer }: IssuerSettings, context: IssuerContext): void {
  const { nameOf, isWritten, refuse, httpHosts, readsNoKeys = false } = context
  const hasKeys = (['jwksUrl', 'keyFile', 'secrets'] as const).some(isWritten)
  if (hasKeys || readsNoKeys || issuer === undefined || issuer.includes(TENANT)) return
  const fault = urlFault(issuer, httpHosts)
  if (fault === undefined) return
  const others = [nameOf('jwksUrl'), nameOf('keyFile'), nameOf('secrets')].join(', ')
  refuse(`${nameOf('issuer')} ${fault}, because its keys are found there; or set one of ${others}.`)
}

function refuseTenants({ issuer, tenants }: IssuerSettings, { nameOf, isWritten, refuse }: IssuerContext): void {
  const isTemplate = issuer?.includes(TENANT) === true
  if (!isTemplate) {
    if (isWritten('tenants')) refuse(`${nameOf('tenants')} needs ${TENANT} in ${nameOf('issuer')}.`)
    return
  }
  if (tenants === undefined) {
    if (!isWritten('tenants')) refuse(`${nameOf('issuer')} holds ${TENANT}: ${nameOf('tenants')} must list which.`)
  } else if (!isWritten('jwksUrl') && !isWritten('keyFile')) {
    refuse(`${nameOf('issuer')} holds ${TENANT}: it has no discovery document, so set ${nameOf('jwksUrl')}.`)
  }
}

/** Of each kind of key that is there; a list must name some of each, and none of a kind that is not. */
function algorithmsOf({ algorithms }: IssuerSettings, context: IssuerContext): readonly string[] {
  const { nameOf, isWritten, refuse } = context
  const hasSecret = isWritten('secrets')
  const hasPublic = !hasSecret || isWritten('jwksUrl') || isWritten('keyFile')
  if (!algorithms) return [...(hasSecret ? ['HS256'] : []), ...(hasPublic ? PUBLIC_KEY_ALGORITHMS : [])]
  const kinds: (readonly string[])[] = [
    ...(hasSecret ? [SECRET_ALGORITHMS] : []),
    ...(hasPublic ? [PUBLIC_KEY_ALGORITHMS] : [])
  ]
  const isKnown = algorithms.every(name => kinds.some(kind => kind.includes(name)))
  const isOfEach = kinds.every(kind => algorithms.some(name => kind.includes(name)))
  if (!isKnown) refuse(`${nameOf('algorithms')} must list some of: ${kinds.flat().join(', ')}.`)
  else if (!isOfEach)
    refuse(`${nameOf('algorithms')} must list some for each kind of key: for the secret and for the key set.`)
  // A list that was refused must not bring a second complaint about the keys.
  return isKnown ? algorithms : kinds.flat()
}
