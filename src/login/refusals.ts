import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client'
import { AppError } from '../errors.ts'
import type { Reason } from '../lib/refusals/reasons.ts'

/** What the provider says when it could not do its work; everything else it says is about this sign-in. */
const PROVIDER_TROUBLE: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable'])
/** What the token endpoint says of a wrong registration: no user can mend that. */
const CLIENT_TROUBLE: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope'
])
/** Codes of openid-client for an answer that did not come, or not from the provider. */
const NO_ANSWER: ReadonlySet<string> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR'
])

/** Reasons that the operator can mend, at the provider or in the configuration; no user can. */
export const OPERATOR_REASONS: ReadonlySet<string> = new Set(['login-client-refused', 'login-no-id-token'])

export function providerUnavailable(reason: Reason): AppError {
  return new AppError('identity-provider-unavailable', 'The identity provider cannot be reached at the moment.', {
    retryAfterMs: 1000,
    reason
  })
}

/** Why a sign-in failed, in our words: what the provider wrote is neither shown nor logged. */
export function loginRefusal(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (error instanceof AuthorizationResponseError) {
    if (PROVIDER_TROUBLE.has(error.error)) return providerUnavailable('login-provider-error')
    return new AppError('forbidden', 'The identity provider did not sign you in.', { reason: 'login-refused' })
  }
  if (error instanceof ResponseBodyError) return tokenRefusal(error)
  if (isWithoutIdToken(error)) return noIdToken()
  if (isNoAnswer(error)) return providerUnavailable('login-no-answer')
  return unfinished('login-not-verified')
}

function tokenRefusal({ error, status }: ResponseBodyError): AppError {
  if (CLIENT_TROUBLE.has(error)) return providerUnavailable('login-client-refused')
  if (status >= 500 || PROVIDER_TROUBLE.has(error)) return providerUnavailable('login-provider-error')
  return unfinished('login-code-refused')
}

/** The provider took this for OAuth without OpenID: trying again changes nothing, its settings do. */
export function noIdToken(): AppError {
  return unfinished('login-no-id-token')
}

/** openid-client has no code for it, but keeps the answer that it complains about. */
function isWithoutIdToken(error: unknown): boolean {
  if (!(error instanceof ClientError) || error.code !== 'OAUTH_INVALID_RESPONSE') return false
  const answer = member(error.cause instanceof Error ? error.cause.cause : undefined, 'body')
  return answer !== undefined && typeof member(answer, 'id_token') !== 'string'
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** A failed connection is a TypeError of fetch, thrown as it is or wrapped. */
function isNoAnswer(error: unknown): boolean {
  if (error instanceof TypeError) return true
  return error instanceof ClientError && (NO_ANSWER.has(error.code ?? '') || error.cause instanceof TypeError)
}

function unfinished(reason: Reason): AppError {
  return new AppError('unauthenticated', 'The sign-in could not be verified: begin it again.', {
    challenge: 'Bearer',
    reason
  })
}
