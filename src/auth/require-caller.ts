import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { AppError } from '../errors.ts'
import type { CometChatUid } from '../upstream/cometchat-uid.ts'
import type { Authenticator } from './authenticator.ts'
import type { Caller, Principal } from './caller.ts'
import { type Credential, credentialOf, forgetCredentials, unauthenticated } from './credentials.ts'
import { type CsrfPolicy, requireProofOfOrigin } from './csrf.ts'
import type { Identity, UidMap } from './uid/uid-map.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling; present inside the signed-in scope only. */
    caller: Caller
  }
}

const VISIBLE_ASCII = /^[\x21-\x7e]+$/

export interface RequireCallerOptions {
  readonly bearer: Authenticator | undefined
  /** By the name of their cookie; undefined for a name that is a credential although nobody reads it. */
  readonly cookies: ReadonlyMap<string, Authenticator | undefined>
  readonly csrf: CsrfPolicy
  readonly uidOf: UidMap
  /** Throws for a request that nobody should be asked about. */
  readonly checkFirst?: (headers: FastifyRequest['headers']) => void
  readonly onCaller?: (request: FastifyRequest) => void
  /** For a server of our own: the hooks of a host's server want to see their request whole. */
  readonly forgetCredentials?: boolean
}

/** Refuses every request of its scope that does not prove who sends it, and that a page was allowed to send it. */
export const requireCaller = fp<RequireCallerOptions>(
  async (app, options) => {
    const cookieNames = [...options.cookies.keys()]
    app.decorateRequest('caller')

    function note(request: FastifyRequest, principal: Principal, user: User, uid: CometChatUid): void {
      request.caller = callerFrom(principal, user, uid)
      if (options.forgetCredentials) forgetCredentials(request.raw)
      options.onCaller?.(request)
    }

    /** A promise only where somebody has to be asked for the UID. */
    function admit(request: FastifyRequest, principal: Principal): Promise<void> | undefined {
      const user = userOf(principal, request.headers['x-acting-for'])
      const uid = options.uidOf(user)
      if (uid instanceof Promise) return uid.then(found => note(request, principal, user, found))
      note(request, principal, user, uid)
      return undefined
    }

    // Most users are known by now: then nobody is waited for.
    app.addHook('onRequest', (request, _reply, done) => {
      options.checkFirst?.(request.headers)
      const credential = credentialOf(request.raw.rawHeaders, cookieNames)
      const found = authenticate(credential, request, options)
      const admitted =
        found instanceof Promise ? found.then(principal => admit(request, principal)) : admit(request, found)
      if (admitted) admitted.then(() => done(), done)
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
    if (bearer) return bearer(credential.token, request)
    throw unauthenticated('Bearer tokens are not accepted here.')
  }
  const readSession = cookies.get(credential.name)
  if (!readSession) throw unauthenticated('A session cookie is not accepted here.')
  // Before the session is read: what another site makes a browser send must not even renew it.
  requireProofOfOrigin(request.headers, csrf)
  return readSession(credential.value, request)
}

interface User extends Identity {
  /** The services that speak for the user, nearest first. */
  readonly actors: readonly string[]
  readonly isNamed: boolean
}

/** Whoever the credential is about, or whom a service names in `X-Acting-For`. */
function userOf({ issuer, subject, actors, mayActForOthers, service }: Principal, named: unknown): User {
  if (typeof named !== 'string') return { issuer, subject, actors, isNamed: false }
  if (!mayActForOthers) {
    throw new AppError('forbidden', 'This credential does not allow acting for another user.')
  }
  // Beyond ASCII two clients spell one name in two ways (RFC 9110 §5.5), and each would be another user.
  if (!VISIBLE_ASCII.test(named)) {
    throw new AppError('identity-unmappable', 'X-Acting-For must be visible ASCII; name other users in a token.')
  }
  return { issuer, subject: named, actors: [service ?? 'unnamed', ...actors], isNamed: true }
}

/** The profile is that of the credential's own subject, never of a user it names. */
function callerFrom(
  { scheme, profile }: Principal,
  { issuer, subject, actors, isNamed }: User,
  uid: CometChatUid
): Caller {
  const caller = { scheme, issuer, subject: String(subject), uid, actors }
  return profile === undefined || isNamed ? caller : { ...caller, profile }
}
