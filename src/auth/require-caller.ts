import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { CometChatUid } from '../lib/service/cometchat-uid.ts'
import type { Authenticator } from './authenticator.ts'
import type { Caller, Principal } from './caller.ts'
import { type Credential, credentialOf, forgetCredentials, type TokenPlaces, unauthenticated } from './credentials.ts'
import { type CsrfPolicy, verifyCsrf } from './csrf.ts'
import { credentialRefusal } from './reasons.ts'
import type { UidMap } from './uid/uid-map.ts'

/** Where a request keeps its caller. */
export const CALLER: unique symbol = Symbol('thread-reply.caller')

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling; present inside the signed-in scope only. */
    [CALLER]: Caller
  }
}

const VISIBLE_ASCII = /^[\x21-\x7e]+$/

export interface RequireCallerOptions {
  readonly bearer: Authenticator | undefined
  /** By the name of their cookie. A name whose sessions are off, undefined here, is a cookie like any other. */
  readonly cookies: ReadonlyMap<string, Authenticator | undefined>
  /** Where a bearer token may stand beside `Authorization`. */
  readonly tokenPlaces?: TokenPlaces
  readonly csrf: CsrfPolicy
  readonly uidOf: UidMap
  /** Throws for a request that is refused whatever its credential. */
  readonly checkFirst?: (request: FastifyRequest) => void
  /** Told which credential is looked at, before it is accepted or refused. */
  readonly onCredential?: (request: FastifyRequest, credential: Credential) => void
  readonly onCaller?: (request: FastifyRequest) => void
  /** Told when the caller is known, or refused, after something had to be waited for. */
  readonly onWaited?: (request: FastifyRequest) => void
  /** For a server of our own: the hooks of a host's server want to see their request whole. */
  readonly forgetCredentials?: boolean
}

/**
 * Refuses every request of its scope without one valid credential, and one with a cookie without proof of origin. Sets
 * `request[CALLER]`. Errors: those of the credential, of CSRF and of the map from user to UID.
 */
export const requireCaller = fp<RequireCallerOptions>(
  async (app, options) => {
    const { cookies, tokenPlaces } = options
    const cookieNames = [...cookies.keys()].filter(name => cookies.get(name) !== undefined)
    app.decorateRequest(CALLER)

    function note(request: FastifyRequest, principal: Principal, uid: CometChatUid): void {
      checkExpected(request.headers['x-signed-in-as'], uid)
      request[CALLER] = callerFrom(principal, uid)
      if (options.forgetCredentials) forgetCredentials(request.raw, tokenPlaces?.header)
      options.onCaller?.(request)
    }

    /** A promise only where the table or the store has to be asked for the UID. */
    function admit(request: FastifyRequest, principal: Principal): Promise<void> | undefined {
      const named = request.headers['x-acting-for']
      const user = named === undefined ? principal : actingFor(principal, named)
      const uid = options.uidOf(user)
      if (uid instanceof Promise) return uid.then(found => note(request, user, found))
      note(request, user, uid)
      return undefined
    }

    // Most users are known by now: then the request goes on in the same turn.
    app.addHook('onRequest', (request, _reply, done) => {
      options.checkFirst?.(request)
      const credential = credentialOf(request.raw.rawHeaders, cookieNames, tokenPlaces)
      options.onCredential?.(request, credential)
      const found = authenticate(credential, request, options)
      const admitted =
        found instanceof Promise ? found.then(principal => admit(request, principal)) : admit(request, found)
      if (admitted) admitted.finally(() => options.onWaited?.(request)).then(() => done(), done)
      else done()
    })
  },
  { name: 'require-caller', fastify: '5.x' }
)

function authenticate(
  credential: Credential,
  request: FastifyRequest,
  { bearer, cookies, csrf }: RequireCallerOptions
): Principal | Promise<Principal> {
  if (credential.kind === 'bearer') {
    if (!bearer) throw unauthenticated('credential-off', 'Bearer tokens are not accepted here.')
    // A gateway adds its header to whatever a browser sends, as the browser does its cookie.
    if (credential.isAmbient) verifyCsrf(request, csrf)
    return bearer(credential.token, request)
  }
  const readSession = cookies.get(credential.name)
  if (!readSession) throw unauthenticated('credential-off', 'A session cookie is not accepted here.')
  // Before the session is read: what another site makes a browser send must not even renew it.
  verifyCsrf(request, csrf)
  return readSession(credential.value, request)
}

/**
 * The user whom a service names in `X-Acting-For`; the service is the nearest of those that act. Its profile describes
 * the service and not that user. Throws `forbidden` or `identity-unmappable`.
 */
function actingFor({ profile: _, ...principal }: Principal, named: string | string[]): Principal {
  if (!principal.mayActForOthers) {
    throw credentialRefusal('forbidden', 'act-scope', 'This credential does not allow acting for another user.')
  }
  // Beyond ASCII two clients spell one name in two ways (RFC 9110 §5.5), and each would be another user.
  if (typeof named !== 'string' || !VISIBLE_ASCII.test(named)) {
    throw credentialRefusal(
      'identity-unmappable',
      'act-name',
      'X-Acting-For must be visible ASCII; name other users in a token.'
    )
  }
  return { ...principal, subject: named, actors: [principal.service ?? 'unnamed', ...principal.actors] }
}

/**
 * A page cannot see whose cookie its call carries: another tab may have signed in somebody else by now. `X-Signed-In-As`
 * says who it means. Throws `unauthenticated`, so that a client asks anew who it is.
 */
function checkExpected(named: string | string[] | undefined, uid: CometChatUid): void {
  if (named === undefined || named === uid) return
  throw credentialRefusal(
    'unauthenticated',
    'uid-other',
    'This credential is not of the user that X-Signed-In-As names.'
  )
}

function callerFrom(principal: Principal, uid: CometChatUid): Caller {
  const { scheme, issuer, subject, actors, profile, expiresAtMs, session, mayExplain, mayTakeSdkTokens } = principal
  const caller = { scheme, issuer, subject: String(subject), uid, actors, expiresAtMs, session }
  if (profile === undefined && !mayExplain && !mayTakeSdkTokens) return caller
  return {
    ...caller,
    ...(profile && { profile }),
    ...(mayExplain && { mayExplain }),
    ...(mayTakeSdkTokens && { mayTakeSdkTokens })
  }
}
