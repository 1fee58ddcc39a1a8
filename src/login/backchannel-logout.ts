import { type JWTPayload, jwtVerify } from 'jose'
import { type KeySource, verifyWithKeys } from '../auth/bearer/jwks/key-source.ts'
import { isVerifiableToken } from '../auth/bearer/token-format.ts'
import { AppError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { isObject } from '../lib/json.ts'
import { PUBLIC_KEY_ALGORITHMS } from '../lib/service/keys/jwt-algorithms.ts'
import type { LoginSessions } from './sessions.ts'

export interface LogoutTokenOptions {
  readonly issuer: string
  readonly clientId: string
  readonly keys: KeySource
  readonly clock: Clock
}

/** What a provider ended: one of its sessions, or every session of a user. */
export interface EndedSessions {
  readonly sid: string | undefined
  readonly sub: string | undefined
  readonly jti: string
  readonly expiresAtMs: number
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const ALGORITHMS = [...PUBLIC_KEY_ALGORITHMS]
const MAX_AGE_SECONDS = 300
const SKEW_SECONDS = 30

/** Ends at once what the provider says has ended; once per token. */
export function createBackChannelLogout(options: LogoutTokenOptions, sessions: LoginSessions) {
  const { issuer } = options
  return async (token: unknown): Promise<number> => {
    const { sid, sub, jti, expiresAtMs } = await verifyLogoutToken(token, options)
    if (!(await sessions.consumeOnce('logout-token', jti, expiresAtMs))) throw refused()
    try {
      // With both, the provider means this session of this user, not every one (Back-Channel Logout 1.0 §2.6).
      if (sid !== undefined) return await sessions.endAll({ issuer, sid })
      return await sessions.endAll({ issuer, sub: sub ?? '' })
    } catch (error) {
      // The provider will try again with the same token.
      await sessions.forgetConsumed('logout-token', jti).catch(() => undefined)
      throw error
    }
  }
}

/**
 * Verifies a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6).
 * Throws `malformed-request`, or `identity-provider-unavailable` without keys.
 */
export async function verifyLogoutToken(token: unknown, options: LogoutTokenOptions): Promise<EndedSessions> {
  if (typeof token !== 'string' || !isVerifiableToken(token)) throw refused()
  const { sid, sub, jti, exp, events, nonce } = await verifiedPayload(token, options)
  const isLogout = isObject(events) && isObject(events[EVENT])
  const isNamed = isName(sid) || isName(sub)
  // An ID token has a nonce: forbidden here, so that neither can be used as the other.
  if (!isLogout || !isNamed || !isName(jti) || nonce !== undefined || exp === undefined) throw refused()
  return {
    sid: isName(sid) ? sid : undefined,
    sub: isName(sub) ? sub : undefined,
    jti,
    expiresAtMs: (exp + SKEW_SECONDS) * 1000
  }
}

async function verifiedPayload(
  token: string,
  { issuer, clientId, keys, clock }: LogoutTokenOptions
): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await verifyWithKeys(token, keys, ALGORITHMS, key =>
      jwtVerify(token, key, {
        issuer,
        audience: clientId,
        algorithms: ALGORITHMS,
        requiredClaims: ['iat', 'exp', 'jti', 'events'],
        maxTokenAge: MAX_AGE_SECONDS,
        clockTolerance: SKEW_SECONDS,
        currentDate: new Date(clock.now())
      })
    )
    const { typ } = protectedHeader
    if (typ !== undefined && !/^(application\/)?(logout\+jwt|jwt)$/i.test(typ)) throw refused()
    return payload
  } catch (error) {
    throw error instanceof AppError ? error : refused()
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 512
}

function refused(): AppError {
  return new AppError('malformed-request', 'The logout token is not valid.', { reason: 'logout-token' })
}
