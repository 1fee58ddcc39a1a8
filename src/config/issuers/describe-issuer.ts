import type { ClaimRule } from '../../lib/claims.ts'
import { PUBLIC_KEY_ALGORITHMS } from '../../lib/service/keys/jwt-algorithms.ts'
import type { IssuerConfig } from './issuer.ts'

/**
 * By which rules the tokens of an issuer are judged, in one line and without a secret. `keyCount` is undefined where the
 * keys were not read yet.
 */
export function describeIssuer(issuer: IssuerConfig, uidMode: string, keyCount?: number): string {
  const keys = `keys by ${keysOf(issuer)}${keyCount === undefined ? '' : ` (${keyCount})`}`
  const { typ } = issuer
  return [
    keys,
    `algorithms ${algorithmsOf(issuer)}`,
    ...(typ === undefined ? [] : [`typ ${typ}`]),
    ...rulesOf(issuer, uidMode)
  ].join(', ')
}

/** The same where the issuer is asked about every token, and no key is read. */
export function describeAsked(issuer: IssuerConfig, uidMode: string, url: string): string {
  return [`no keys, every token is asked about at ${url}`, ...rulesOf(issuer, uidMode)].join(', ')
}

function rulesOf({ issuer, audiences, claims, scope, actScope, ...others }: IssuerConfig, uidMode: string): string[] {
  const { explainScope, sdkTokenScope, uidClaim, uidStrip, usersOf, tenants } = others
  const rules = [
    `audience ${audiences?.join(' or ') ?? 'unchecked'}`,
    claims.length > 0 && `claims ${claims.map(ruleText).join(' and ')}`,
    scope !== undefined && `scope ${scope}`,
    actScope !== undefined && `acting scope ${actScope}`,
    explainScope !== undefined && `explaining scope ${explainScope}`,
    sdkTokenScope !== undefined && `SDK token scope ${sdkTokenScope}`,
    tenants && `tenants ${tenants.length}`,
    `UID ${uidMode} of claim ${uidClaim}${uidStrip === undefined ? '' : ` without ${uidStrip}`}`,
    usersOf !== issuer && `users of ${usersOf}`
  ]
  return rules.filter(rule => rule !== false && rule !== undefined)
}

function keysOf({ secrets, keyFile, jwksUrl }: IssuerConfig): string {
  const sources = [
    secrets.length === 1 && `shared secret ${secrets[0]}`,
    secrets.length > 1 && `${secrets.length} shared secrets (a comma separates them) ${secrets.join(' and ')}`,
    keyFile && `file ${keyFile.path}`,
    jwksUrl
  ].filter(source => source !== false && source !== undefined)
  return sources.length === 0 ? 'discovery' : sources.join(' and ')
}

function algorithmsOf({ algorithms }: IssuerConfig): string {
  const isEvery = PUBLIC_KEY_ALGORITHMS.every(name => algorithms.includes(name))
  if (!isEvery) return algorithms.join(' ')
  return [...algorithms.filter(name => name.startsWith('HS')), 'every asymmetric one'].join(' ')
}

function ruleText({ name, values, isForbidden }: ClaimRule): string {
  return `${isForbidden ? '!' : ''}${name}${values.length > 0 ? `=${values.join('|')}` : ''}`
}
