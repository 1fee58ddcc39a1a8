// What `--explain-token` says of one token: check by check, by the configuration and with the keys that the service has.

import { compactVerify } from 'jose'
import * as errors from 'jose/errors'
import { verifyWithKeys } from '../../auth/bearer/jwks/key-source.ts'
import { createJwtAuthenticator, type TrustedIssuer } from '../../auth/bearer/jwt.ts'
import { isCompactJws } from '../../auth/bearer/token-format.ts'
import type { Principal } from '../../auth/caller.ts'
import { type NamedConfig, namedIssuers } from '../../config/issuers/setting-names.ts'
import type { Config } from '../../config/load-config.ts'
import { AppError } from '../../errors.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import type { ServiceEvent } from '../../observability/events.ts'
import { createJsonFetcher, type JsonFetcher } from '../../outbound/fetch-json.ts'
import { createConnector } from '../../outbound/proxy-connector.ts'
import { createBearer } from '../bearer.ts'
import { createIssuers } from '../issuers.ts'
import { openUids } from '../uids.ts'
import { type Check, claimChecks, decoded, formCheck, issuerCheck, issuerOf } from './checks.ts'
import { shown } from './shown.ts'

export interface Explanation {
  readonly checks: readonly Check[]
  /** As which UID the user would post; undefined where the token is refused. */
  readonly uid: string | undefined
  /** The problem and the word in the log; undefined where the token is accepted. */
  readonly refusal: { readonly code: string; readonly reason: string } | undefined
  /** What went wrong when keys were read. */
  readonly notes: readonly string[]
}

/**
 * `text` is a token as people copy it: with `Authorization:` and `Bearer` before it or not, in quotes or not, with any blanks
 * and a byte order mark.
 */
export async function explainToken(config: Config, text: string, clock: Clock = systemClock): Promise<Explanation> {
  const token = text
    .replace(/^[ \t\r\n"'`\ufeff]*(authorization:)?[ \t\r\n"'`]*(bearer[ \t\r\n]+)?/i, '')
    .replaceAll(/[ \t\r\n"'`\ufeff]/g, '')
  const events: ServiceEvent[] = []
  const fetchJson = createJsonFetcher({ connect: createConnector(config.proxy?.proxyFor) })
  const parts = { fetchJson, clock, emit: (event: ServiceEvent) => void events.push(event) }
  try {
    const { checks, principal } = await judged(token, config, parts)
    const user = await principal.then(
      found => mapped(found, config, parts),
      (error: unknown) => ({ refusal: refusalOf(error), check: undefined, uid: undefined })
    )
    return {
      checks: [...checks, ...(user.check ? [user.check] : [])],
      uid: user.uid,
      refusal: user.refusal,
      notes: events.flatMap(noteOf)
    }
  } finally {
    await fetchJson.close()
  }
}

interface Parts {
  readonly fetchJson: JsonFetcher
  readonly clock: Clock
  readonly emit: (event: ServiceEvent) => void
}

interface Judged {
  readonly checks: readonly Check[]
  /** Whose token it is, as the service itself finds; rejects with its refusal. */
  readonly principal: Promise<Principal>
}

async function judged(token: string, config: Config, parts: Parts): Promise<Judged> {
  const { introspection } = config.auth
  const isAsked = introspection && (introspection.tokens === 'all' || !isCompactJws(token))
  return isAsked ? asked(token, config, parts) : verified(token, config, parts)
}

/** What its issuer says of an opaque token decides, and is not shown. */
async function asked(token: string, config: Config, parts: Parts): Promise<Judged> {
  const bearer = createBearer(config, parts)
  const principal = Promise.resolve()
    .then(() => bearer.authenticate?.(token, { ip: undefined }) ?? Promise.reject(bearerIsOff()))
    .finally(() => bearer.close())
  const reason = await principal.then(() => undefined, refusalOf)
  const check = {
    subject: 'issuer',
    fits: reason === undefined,
    finding: `AUTH_INTROSPECTION_URL was asked: ${reason ? (ASKED[reason.reason] ?? 'its answer does not fit') : 'the token is active, and fits'}`
  }
  // Handled above; whoever waits for it again gets the same.
  principal.catch(() => undefined)
  return { checks: [check], principal }
}

const ASKED: Readonly<Record<string, string>> = {
  'token-inactive': 'the token is not active',
  'token-issuer': 'its iss is not that of AUTH_JWT_ISSUER',
  'token-audience': 'its aud is none of AUTH_JWT_AUDIENCE',
  'token-claim': 'a claim is not what AUTH_JWT_CLAIMS demands',
  'token-scope': 'it lacks the scope of AUTH_JWT_SCOPE',
  'introspection-refused': 'it does not like the question; look at its client id and secret, or token',
  'introspection-unreachable': 'it gave no answer'
}

async function verified(token: string, config: Config, parts: Parts): Promise<Judged> {
  const named = namedIssuers(config.auth.jwt, config.auth.issuers)
  if (named.length === 0) return { checks: [], principal: Promise.reject(bearerIsOff()) }
  const issuers = createIssuers(config, parts)
  try {
    const authenticate = createJwtAuthenticator({ issuerOf: iss => issuers.issuerOf(iss), clock: parts.clock })
    const principal = Promise.resolve().then(() => authenticate(token))
    // Before any key is looked for here: a second look for one that is not there would have to wait.
    const refusal = await principal.then(() => undefined, refusalOf)
    const said = decoded(token)
    const checks = [formCheck(token, said !== undefined)]
    if (said) {
      checks.push(issuerCheck(named, said))
      const own = issuerOf(named, said.claims['iss'])
      const trusted = issuers.issuerOf(said.claims['iss'])
      if (own && trusted) {
        checks.push(
          ...claimChecks(said, own, parts.clock.now()),
          await signatureCheck(token, trusted, own, refusal?.reason)
        )
      }
    }
    return { checks, principal }
  } finally {
    issuers.close()
  }
}

async function signatureCheck(
  token: string,
  trusted: TrustedIssuer,
  { config, nameOf }: NamedConfig,
  refusal: string | undefined
): Promise<Check> {
  const { keys, algorithms } = trusted
  const source =
    config.secrets.length > 0 ? 'secrets' : config.keyFile ? 'keyFile' : config.jwksUrl ? 'jwksUrl' : 'issuer'
  const decides = `keys by ${nameOf(source)}`
  try {
    if (refusal === 'token-key') throw new errors.JWKSNoMatchingKey()
    await verifyWithKeys(token, keys, algorithms, key => compactVerify(token, key))
    return { subject: 'signature', fits: true, finding: `of one of ${keys.size} ${decides}` }
  } catch (error) {
    return { subject: 'signature', fits: false, ...signatureFault(error, `${keys.size} ${decides}`) }
  }
}

function signatureFault(error: unknown, keys: string): Pick<Check, 'finding' | 'reason'> {
  if (error instanceof AppError) return { finding: `not known: the ${keys} cannot be read` }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return { finding: `of none of ${keys}`, reason: 'token-signature' }
  }
  if (error instanceof errors.JOSEAlgNotAllowed)
    return { finding: 'not looked at, because of alg', reason: 'token-algorithm' }
  if (error instanceof errors.JOSENotSupported) return { finding: 'its header has crit', reason: 'token-critical' }
  return { finding: `none of ${keys} has its kid and fits its alg`, reason: 'token-key' }
}

/** Nobody gets to own a UID by this: owners are looked for in an empty store. */
async function mapped(principal: Principal, config: Config, { clock, emit }: Parts) {
  const { mode, claim, strip } = config.uid
  const store = { ...config.delivery, store: { kind: 'memory' as const } }
  const uids = await openUids({ ...config, delivery: store }, { clock, emit, postgres: undefined })
  const rule = `of ${shown(principal.subject)} by UID_CLAIM ${claim}, UID_MODE ${mode}${strip === undefined ? '' : ', UID_STRIP'}`
  try {
    const uid = await uids.uidOf(principal)
    return { uid, refusal: undefined, check: { subject: 'UID', fits: true, finding: `${shown(uid)}, ${rule}` } }
  } catch (error) {
    const refusal = refusalOf(error)
    return { uid: undefined, refusal, check: { subject: 'UID', fits: false, finding: `none, ${rule}` } }
  } finally {
    await uids.close()
  }
}

function refusalOf(error: unknown): { code: string; reason: string } {
  if (!(error instanceof AppError)) throw error
  return { code: error.code, reason: error.options.reason ?? error.code }
}

function bearerIsOff(): AppError {
  return new AppError('unauthenticated', 'Bearer tokens are not accepted here.', { reason: 'credential-off' })
}

function noteOf(event: ServiceEvent): string[] {
  if (event.name !== 'keys-unreadable') return []
  const { reason, hint } = event
  return [`${event.variable}: ${reason}${hint === undefined ? '' : `; ${hint}`}`]
}
