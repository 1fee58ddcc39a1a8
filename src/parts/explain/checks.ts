import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { decodeJwt } from 'jose/jwt/decode'
import { isForUs, principalFrom } from '../../auth/bearer/claims.ts'
import { formFault, isVerifiableToken } from '../../auth/bearer/token-format.ts'
import type { CredentialReason } from '../../auth/reasons.ts'
import type { IssuerConfig } from '../../config/issuers/issuer.ts'
import { TENANT } from '../../config/issuers/issuer.ts'
import { issuerNames } from '../../config/issuers/issuers-file.ts'
import type { NamedConfig } from '../../config/issuers/setting-names.ts'
import { AppError } from '../../errors.ts'
import { asciiLowerCase } from '../../lib/ascii.ts'
import { brokenRule, type ClaimRule, type Claims, claimAt } from '../../lib/claims.ts'
import { rulesOf } from '../issuers.ts'
import { shown } from './shown.ts'

/** One thing that a token must be, whether it is, and what decides about it. */
export interface Check {
  readonly subject: string
  readonly fits: boolean
  /** What the token says and what is asked for, with the variable that asks. */
  readonly finding: string
  /** The word in the log, where it does not fit. */
  readonly reason?: CredentialReason | undefined
}

export interface DecodedToken {
  readonly header: Claims
  readonly claims: Claims
}

/** What a JWT says, whoever signed it; undefined where it is none that can be read. */
export function decoded(token: string): DecodedToken | undefined {
  if (!isVerifiableToken(token)) return undefined
  try {
    return { header: { ...decodeProtectedHeader(token) }, claims: decodeJwt(token) }
  } catch {
    return undefined
  }
}

export function formCheck(token: string, isReadable: boolean): Check {
  const subject = 'form'
  if (isReadable) return { subject, fits: true, finding: `a JWT of ${token.length} characters` }
  const reason = isVerifiableToken(token) ? 'token-form' : formFault(token)
  return { subject, fits: false, finding: FORMS[reason], reason }
}

const FORMS = {
  'token-form': 'neither a JWT of three parts nor anything that AUTH_INTROSPECTION_URL is asked about',
  'token-encrypted': 'an encrypted token, which only its provider reads: ask for one with an audience of yours',
  'token-too-long': 'longer than any that is accepted (12 KiB): let its issuer leave claims out'
}

/** Finds the issuer that a token names; one beside a key of the app's own need not be named. */
export function issuerOf(issuers: readonly NamedConfig[], iss: unknown): NamedConfig | undefined {
  const named = issuers.find(({ config }) => typeof iss === 'string' && issuerNames(config).includes(iss))
  return named ?? issuers.find(({ config }) => config.issuer === undefined)
}

export function issuerCheck(issuers: readonly NamedConfig[], { claims }: DecodedToken): Check {
  const subject = 'iss'
  const { iss } = claims
  const found = issuerOf(issuers, iss)
  if (found?.config.issuer === undefined && found) {
    return { subject, fits: true, finding: `${shown(iss)}; not looked at beside a key of one's own` }
  }
  if (found) return { subject, fits: true, finding: `${shown(iss)} is that of ${found.nameOf('issuer')}` }
  const [first] = issuers
  const wanted =
    issuers.length === 1 && first
      ? `${first.nameOf('issuer')} is ${shown(first.config.issuer)}`
      : 'no entry of AUTH_ISSUERS_FILE has it'
  return {
    subject,
    fits: false,
    finding: `${shown(iss)}, and ${wanted}${slashHint(issuers, iss)}`,
    reason: 'token-issuer'
  }
}

function slashHint(issuers: readonly NamedConfig[], iss: unknown): string {
  const bare = (name: unknown): unknown => (typeof name === 'string' ? name.replace(/\/$/, '') : undefined)
  const isNear = issuers.some(({ config }) =>
    issuerNames(config).some(name => name !== iss && bare(name) === bare(iss))
  )
  return isNear ? ': one of them has a slash at its end' : ''
}

/** Everything but its signature that an issuer's token must be, in the order in which the service looks. */
export function claimChecks({ header, claims }: DecodedToken, { config, nameOf }: NamedConfig, nowMs: number): Check[] {
  const { algorithms, audiences, typ, scope } = config
  return [
    expiryCheck(claims, nowMs),
    ...(typeof claims['nbf'] === 'number' ? [notBeforeCheck(claims['nbf'], nowMs)] : []),
    audienceCheck(claims, audiences, nameOf('audience')),
    {
      subject: 'alg',
      fits: algorithms.includes(String(header['alg'])),
      finding: `${shown(header['alg'])}; ${nameOf('algorithms')} allows ${algorithms.join(' ')}`,
      reason: 'token-algorithm'
    },
    ...(typ === undefined ? [] : [typeCheck(header['typ'], typ, nameOf('typ'))]),
    ...tenantChecks(claims, config, nameOf),
    ...config.claims.map(rule => ruleCheck(claims, rule, nameOf('claims'))),
    ...(scope === undefined ? [] : [scopeCheck(claims, config, nameOf('scope'))])
  ]
}

function expiryCheck({ exp }: Claims, nowMs: number): Check {
  const subject = 'exp'
  if (typeof exp !== 'number') {
    return { subject, fits: false, finding: 'there is none: a token must expire', reason: 'token-no-expiry' }
  }
  return { subject, fits: exp * 1000 > nowMs, finding: ageOf(exp, nowMs), reason: 'token-expired' }
}

const NOT_BEFORE_TOLERANCE_MS = 30_000

function notBeforeCheck(nbf: number, nowMs: number): Check {
  const fits = nbf * 1000 <= nowMs + NOT_BEFORE_TOLERANCE_MS
  return { subject: 'nbf', fits, finding: ageOf(nbf, nowMs), reason: 'token-early' }
}

function ageOf(seconds: number, nowMs: number): string {
  const fromNow = Math.round(seconds - nowMs / 1000)
  return fromNow > 0 ? `in ${fromNow} s` : `${-fromNow} s ago`
}

function audienceCheck(claims: Claims, audiences: readonly string[] | undefined, name: string): Check {
  const said = shown(claims['aud'])
  if (!audiences) return { subject: 'aud', fits: true, finding: `${said}; ${name} does not ask for one` }
  const fits = isForUs(claims, audiences) === true
  return {
    subject: 'aud',
    fits,
    finding: `${said}; ${name} asks for ${audiences.map(shown).join(' or ')}`,
    reason: 'token-audience'
  }
}

/** RFC 7515 §4.1.9: case and `application/` make no difference. */
function typeCheck(typ: unknown, wanted: string, name: string): Check {
  const bare = (text: string): string => asciiLowerCase(text).replace(/^application\//, '')
  const fits = typeof typ === 'string' && bare(typ) === bare(wanted)
  return { subject: 'typ', fits, finding: `${shown(typ)}; ${name} asks for ${shown(wanted)}`, reason: 'token-type' }
}

function tenantChecks(claims: Claims, { issuer = '', tenants }: IssuerConfig, nameOf: NamedConfig['nameOf']): Check[] {
  if (!tenants) return []
  const tenant = tenants.find(one => issuer.replaceAll(TENANT, one) === claims['iss'])
  const finding = `${shown(claims['tid'])}; ${nameOf('tenants')} asks for that of iss`
  return [{ subject: 'tid', fits: claims['tid'] === tenant, finding, reason: 'token-claim' }]
}

function ruleCheck(claims: Claims, rule: ClaimRule, name: string): Check {
  const { isForbidden, values } = rule
  const wish = values.length === 0 ? 'there' : values.map(shown).join(' or ')
  return {
    subject: rule.name,
    fits: brokenRule([rule], claims) === undefined,
    finding: `${shown(claimAt(claims, rule.name))}; ${name} wants it ${isForbidden ? 'not ' : ''}to be ${wish}`,
    reason: 'token-claim'
  }
}

function scopeCheck(claims: Claims, config: IssuerConfig, name: string): Check {
  const places = ['scope', 'scp', 'roles', 'permissions'].filter(place => claims[place] !== undefined)
  const said = places.map(place => `${place} ${shown(claims[place])}`).join(', ') || 'none'
  return {
    subject: 'scope',
    fits: hasScope(claims, config),
    finding: `${said}; ${name} asks for ${shown(config.scope)}`,
    reason: 'token-scope'
  }
}

function hasScope(claims: Claims, config: IssuerConfig): boolean {
  try {
    principalFrom(claims, { ...rulesOf(config), claims: [] })
    return true
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}
