// Rules about claims that no token can keep beside the other settings of its issuer.
import type { ClaimRule } from '../../lib/claims.ts'

interface RuledIssuer {
  readonly issuer: string | undefined
  readonly audiences: readonly string[] | undefined
  readonly claims: readonly ClaimRule[]
  readonly uidClaim: string
  readonly actScope: string | undefined
  readonly tenants: readonly string[] | undefined
}

interface RuleContext {
  readonly nameOf: (setting: 'claims' | 'issuer' | 'audience' | 'tenants' | 'uidClaim') => string
  /** Whether an answer of introspection may leave out what a JWT has. */
  readonly asksIssuer?: boolean
}

/** A claim whose value other settings demand. */
interface Demand {
  readonly claim: string
  /** One of them; undefined where the claim only has to be there. */
  readonly values: readonly string[] | undefined
  readonly what: string
}

/** One sentence for each rule by which nobody could sign in. */
export function hopelessRules(config: RuledIssuer, context: RuleContext): string[] {
  const demands = demandsOf(config, context)
  return config.claims.flatMap(rule => {
    const broken = demands.find(demand => demand.claim === rule.name && isBroken(rule, demand))
    return broken ? [`${context.nameOf('claims')} refuses ${broken.what}: nobody could sign in.`] : []
  })
}

function demandsOf(config: RuledIssuer, { nameOf, asksIssuer = false }: RuleContext): Demand[] {
  const { issuer, audiences, uidClaim, actScope, tenants } = config
  const demands: (Demand | false | undefined)[] = [
    tenants && { claim: 'tid', values: tenants, what: `each tid that ${nameOf('tenants')} demands` },
    issuer !== undefined &&
      !tenants && { claim: 'iss', values: [issuer], what: `the iss that ${nameOf('issuer')} demands` },
    // One of several in a token is enough, so only forbidding them all is hopeless.
    audiences && { claim: 'aud', values: audiences, what: `each aud that ${nameOf('audience')} demands` },
    { claim: 'exp', values: undefined, what: 'exp, without which no token is accepted' }
  ]
  // A service that names its user need not be one itself.
  const user = actScope === undefined && {
    claim: uidClaim,
    values: undefined,
    what: `the claim that ${nameOf('uidClaim')} names the user by`
  }
  return [...(asksIssuer ? [] : demands), user].filter(demand => demand !== false && demand !== undefined)
}

function isBroken(rule: ClaimRule, { claim, values }: Demand): boolean {
  if (rule.values.length === 0) return rule.isForbidden
  if (!values || (claim === 'aud' && !rule.isForbidden)) return false
  return values.every(value => rule.values.includes(value) === rule.isForbidden)
}
