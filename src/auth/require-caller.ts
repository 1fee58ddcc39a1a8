import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { AppError } from '../errors.ts'
import type { BearerAuthenticator } from './bearer-authenticator.ts'
import type { Caller, Principal } from './caller.ts'
import { type Credential, credentialOf, unauthenticated } from './credentials.ts'
import { type CsrfPolicy, requireProofOfOrigin } from './csrf.ts'
import type { UidMap } from './uid-map.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling; present inside the signed-in scope only. */
    caller: Caller
  }
}

const VISIBLE_ASCII = /^[\x21-\x7e]+$/

/** Turns the value of a session cookie into who it belongs to; throws `unauthenticated` or `store-unavailable`. */
export type CookieAuthenticator = (value: string) => Promise<Principal>

export interface RequireCallerOptions {
  readonly bearer: BearerAuthenticator | undefined
  /** By the name of their cookie; undefined for a name that is a credential although nobody reads it. */
  readonly cookies: ReadonlyMap<string, CookieAuthenticator | undefined>
  readonly csrf: CsrfPolicy
  readonly uidOf: UidMap
}

/** Refuses every request of its scope that does not prove who sends it, and that a page was allowed to send it. */
export const requireCaller = fp<RequireCallerOptions>(
  async (app, options) => {
    const cookieNames = [...options.cookies.keys()]
    app.decorateRequest('caller')
    app.addHook('onRequest', async request => {
      const credential = credentialOf(request.raw.rawHeaders, cookieNames)
      const principal = await authenticate(credential, request.headers, options)
      request.caller = await callerFrom(principal, actingFor(request), options.uidOf)
    })
  },
  { name: 'require-caller', fastify: '5.x' }
)

async function authenticate(
  credential: Credential,
  headers: FastifyRequest['headers'],
  { bearer, cookies, csrf }: RequireCallerOptions
): Promise<Principal> {
  if (credential.kind === 'bearer') {
    if (bearer) return bearer(credential.token)
    throw unauthenticated('Bearer tokens are not accepted here.')
  }
  const readSession = cookies.get(credential.name)
  if (!readSession) throw unauthenticated('A session cookie is not accepted here.')
  // Before the session is read: what another site makes a browser send must not even renew it.
  requireProofOfOrigin(headers, csrf)
  return readSession(credential.value)
}

/** The user a service names in `X-Acting-For`. */
function actingFor(request: FastifyRequest): string | undefined {
  const header = request.headers['x-acting-for']
  return typeof header === 'string' ? header : undefined
}

async function callerFrom(principal: Principal, named: string | undefined, uidOf: UidMap): Promise<Caller> {
  const { scheme, issuer, actors, profile } = principal
  if (named === undefined) {
    const { subject } = principal
    const uid = await uidOf({ issuer, subject })
    return { scheme, issuer, subject: String(subject), uid, actors, ...(profile && { profile }) }
  }
  if (!principal.mayActForOthers) {
    throw new AppError('forbidden', 'This credential does not allow acting for another user.')
  }
  // Beyond ASCII two clients spell one name in two ways (RFC 9110 §5.5), and each would be another user.
  if (!VISIBLE_ASCII.test(named)) {
    throw new AppError('identity-unmappable', 'X-Acting-For must be visible ASCII; name other users in a token.')
  }
  const uid = await uidOf({ issuer, subject: named })
  return { scheme, issuer, subject: named, uid, actors: [principal.service ?? 'unnamed', ...actors] }
}
