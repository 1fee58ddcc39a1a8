// The one grammar of claims: how a variable names one, and what it demands of it.
import { isObject } from './json.ts'

/** What a verified token, an introspection's answer or a session says of its user. */
export type Claims = Readonly<Record<string, unknown>>

/** One demand, as `AUTH_JWT_CLAIMS` lists them. */
export interface ClaimRule {
  /** A whole name, or a path of names with dots between them. */
  readonly name: string
  /** What the claim may be, as text; empty where it only has to be there. */
  readonly values: readonly string[]
  /** Turned round: the claim must not be that, or not be there. */
  readonly isForbidden: boolean
}

const MAX_RULES = 32

/**
 * The claim of that whole name (`https://acme.example/uid`), or else the one at that path through objects
 * (`app_metadata.plan`), of which the first name may have dots itself (`https://hasura.io/jwt/claims.x-hasura-user-id`).
 * Own members only: the length of a text or what an object inherits is nobody's claim.
 */
export function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  if (!name.includes('.')) return undefined
  return memberAt(claims, name.split('.')) ?? memberBelowDots(claims, name)
}

function memberBelowDots(claims: Claims, name: string): unknown {
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const first = name.slice(0, dot)
    if (first.includes('.') && Object.hasOwn(claims, first)) {
      return memberAt(claims[first], name.slice(dot + 1).split('.'))
    }
  }
  return undefined
}

/** The member that a path of names leads to, through objects alone. */
export function memberAt(value: unknown, path: readonly string[]): unknown {
  let found = value
  for (const name of path) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return undefined
    found = found[name]
  }
  return found
}

/**
 * A claim as a name: a text, or a whole number that JSON.parse has not rounded; undefined for whatever else, and for
 * the empty text. -0 is no number that an issuer counts with, and would print as 0.
 */
export function nameIn(claim: unknown): string | undefined {
  if (typeof claim === 'string') return claim === '' ? undefined : claim
  return Number.isSafeInteger(claim) && !Object.is(claim, -0) ? String(claim) : undefined
}

/** The texts that a claim holds. Absent, null, `""` and `[]` hold none; what is in a list counts one by one. */
export function textsIn(claim: unknown): string[] {
  return [claim].flat().flatMap(value => {
    if (typeof value === 'string') return value === '' ? [] : [value]
    // Beyond 2^53 JSON.parse rounds: such a number would equal its neighbours.
    const isExact = typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value))
    return isExact || typeof value === 'boolean' ? [JSON.stringify(value)] : []
  })
}

/** The first rule that the claims break. */
export function brokenRule(rules: readonly ClaimRule[], claims: Claims): ClaimRule | undefined {
  return rules.find(rule => isMet(rule, claimAt(claims, rule.name)) === rule.isForbidden)
}

/** Whether a rule says what a claim must be, so that a token made for something else does not fit. */
export function demandsValue({ values, isForbidden }: ClaimRule): boolean {
  return values.length > 0 && !isForbidden
}

/**
 * Reads `claim=value`, `claim=a|b`, `claim`, `!claim=value` and `!claim`, with commas between them.
 * Throws a SyntaxError whose message is the rest of a sentence that begins with the name of the variable.
 */
export function parseClaimRules(text: string): ClaimRule[] {
  const items = text.split(',').map(item => item.trim())
  if (items.length > MAX_RULES) throw new SyntaxError(`must list at most ${MAX_RULES} claims`)
  const rules = items.map(ruleOf)
  for (const rule of rules) refuseContradiction(rule, rules)
  return rules
}

function ruleOf(item: string, index: number): ClaimRule {
  const number = index + 1
  const [, not = '', name = '', is, value = ''] = /^(!?)([^\s!=|][^\s=|]*)(=?)(.*)$/s.exec(item) ?? []
  if (name === '')
    throw new SyntaxError(`must list claim=value, claim=a|b, claim or !claim: item ${number} is not that`)
  if (is === '' && value !== '') throw new SyntaxError(`has no = in item ${number}, where only a name may stand`)
  const values = is === '' ? [] : value.split('|').map(alternative => alternative.trim())
  if (values.includes('')) throw new SyntaxError(`has an empty value in item ${number}: no claim is that`)
  return { name, values, isForbidden: not !== '' }
}

/** Rules that no claims could keep would refuse every token. */
function refuseContradiction(rule: ClaimRule, rules: readonly ClaimRule[]): void {
  if (rule.isForbidden) return
  const bans = rules.filter(({ name, isForbidden }) => isForbidden && name === rule.name)
  const isBanned = (value: string): boolean => bans.some(({ values }) => values.includes(value))
  const isHopeless = bans.some(({ values }) => values.length === 0)
  if (isHopeless || (rule.values.length > 0 && rule.values.every(isBanned))) {
    throw new SyntaxError('demands and forbids the same of one claim: nobody could sign in')
  }
}

function isMet({ values }: ClaimRule, claim: unknown): boolean {
  if (values.length > 0) return textsIn(claim).some(text => values.includes(text))
  return claim !== undefined && claim !== null && claim !== '' && !(Array.isArray(claim) && claim.length === 0)
}
