import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  type CustomFetch,
  calculatePKCECodeChallenge,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo
} from 'openid-client'
import type { Profile } from '../auth/caller.ts'
import { claimAt } from '../lib/claims.ts'
import type { Clock } from '../lib/clock.ts'
import type { Secret } from '../lib/secret.ts'
import type { Emit } from '../observability/events.ts'
import type { AuthorizationRequest } from './pending-login.ts'
import { loginRefusal, noIdToken, OPERATOR_REASONS, providerUnavailable } from './refusals.ts'
import type { LoginSession } from './sessions.ts'

/** The OpenID provider, as a confidential client with code and PKCE sees it. Nothing here keeps a token. */
export interface OidcClient {
  /** Where the browser goes to sign in. Throws `identity-provider-unavailable`. */
  authorizationUrl(request: AuthorizationRequest): Promise<string>
  /** Who came back with this query. Throws `unauthenticated`, `forbidden` or `identity-provider-unavailable`. */
  exchangeCode(query: string, request: AuthorizationRequest): Promise<LoginSession>
  /** Where the browser goes to sign out there, too; undefined where the provider does not offer it or is away. */
  endSessionUrl(session: LoginSession | undefined, returnPath: string): Promise<string | undefined>
}

export interface OidcClientOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: Secret
  readonly scope: string
  readonly redirectUrl: string
  readonly afterLogoutUrl: string
  /** The claim of the ID token that names the user. */
  readonly uidClaim: string
  readonly clock: Clock
  /** Without redirects, and bounded. */
  readonly fetch: CustomFetch
  /** Gets `provider-trouble`: a closed vocabulary, never what the provider wrote. */
  readonly emit: Emit
}

const TIMEOUT_SECONDS = 5
const CLOCK_SKEW_SECONDS = 30
const MAX_AGE_MS = 3_600_000
const FAILURE_COOL_DOWN_MS = 1000
const MAX_NAME_LENGTH = 256
const MAX_URL_LENGTH = 2048

export function createOidcClient(options: OidcClientOptions): OidcClient {
  const { issuer, uidClaim, redirectUrl, emit } = options
  const configuration = cachedConfiguration(() => discover(options), options)

  return {
    async authorizationUrl({ state, nonce, codeVerifier }) {
      const parameters = {
        redirect_uri: redirectUrl,
        scope: options.scope,
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256'
      }
      return buildAuthorizationUrl(await configuration(), parameters).href
    },
    async exchangeCode(query, { state, nonce, codeVerifier }) {
      const provider = await configuration()
      try {
        const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: codeVerifier }
        const tokens = await authorizationCodeGrant(provider, new URL(`${redirectUrl}?${query}`), checks)
        const claims = tokens.claims()
        if (!claims) throw noIdToken()
        const profile = profileOf(claims) ?? (await readProfile(provider, tokens.access_token, claims.sub))
        return {
          issuer,
          sub: claims.sub,
          subject: claimAt(claims, uidClaim),
          ...(typeof claims['sid'] === 'string' && { sid: claims['sid'] }),
          ...(profile && { profile })
        }
      } catch (error) {
        const refusal = loginRefusal(error)
        const { reason } = refusal.options
        if (reason !== undefined && OPERATOR_REASONS.has(reason)) emit({ name: 'provider-trouble', reason })
        throw refusal
      }
    },
    async endSessionUrl(session, returnPath) {
      const provider = await configuration().catch(() => undefined)
      if (!provider?.serverMetadata().end_session_endpoint) return undefined
      // No id_token_hint: it would put a token into the browser's hands, history and the logs on its way.
      return buildEndSessionUrl(provider, {
        post_logout_redirect_uri: options.afterLogoutUrl,
        state: returnPath,
        ...(session?.sid !== undefined && { logout_hint: session.sid })
      }).href
    }
  }
}

/** One read at a time, again after an hour, and a pause after a failure; an old answer outlives an outage. */
function cachedConfiguration(read: () => Promise<Configuration>, { clock, emit }: OidcClientOptions) {
  let known: { readonly value: Configuration; readonly readAtMs: number } | undefined
  let reading: Promise<void> | undefined
  let notBeforeMs = Number.NEGATIVE_INFINITY

  async function refresh(): Promise<void> {
    try {
      known = { value: await read(), readAtMs: clock.monotonic() }
    } catch {
      notBeforeMs = clock.monotonic() + FAILURE_COOL_DOWN_MS
      emit({ name: 'provider-trouble', reason: 'login-discovery' })
    } finally {
      reading = undefined
    }
  }

  return async (): Promise<Configuration> => {
    const nowMs = clock.monotonic()
    if ((!known || nowMs - known.readAtMs > MAX_AGE_MS) && nowMs >= notBeforeMs) reading ??= refresh()
    if (!known) await reading
    if (!known) throw providerUnavailable('login-discovery')
    return known.value
  }
}

async function discover({ issuer, clientId, clientSecret, fetch }: OidcClientOptions): Promise<Configuration> {
  const execute = [
    enableNonRepudiationChecks,
    // Only loopback can be http here: the configuration refuses every other.
    ...(issuer.startsWith('http:') ? [allowInsecureRequests] : [])
  ]
  const provider = await discovery(
    new URL(issuer),
    clientId,
    { [clockTolerance]: CLOCK_SKEW_SECONDS },
    (...parts) => authenticateClient(clientSecret, ...parts),
    { execute, timeout: TIMEOUT_SECONDS, [customFetch]: fetch }
  )
  // openid-client compares URLs; users are named by the exact text.
  if (provider.serverMetadata().issuer !== issuer) throw new TypeError('metadata of another issuer')
  return provider
}

type ClientAuthParts = Parameters<ReturnType<typeof ClientSecretBasic>>

/** Every provider must understand HTTP Basic (RFC 6749 §2.3.1); a provider may announce that it wants the body. */
function authenticateClient(secret: Secret, ...[server, client, body, headers]: ClientAuthParts): void {
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  const method = methods.includes('client_secret_basic') ? ClientSecretBasic : ClientSecretPost
  method(secret.reveal())(server, client, body, headers)
}

/** Many providers give name and picture only at the userinfo endpoint. Without them the user is signed in all the same. */
async function readProfile(provider: Configuration, accessToken: string, sub: string): Promise<Profile | undefined> {
  if (provider.serverMetadata().userinfo_endpoint === undefined) return undefined
  const claims = await fetchUserInfo(provider, accessToken, sub).catch(() => undefined)
  return claims && profileOf(claims)
}

function profileOf({ name, picture }: Readonly<Record<string, unknown>>): Profile | undefined {
  const shownName = typeof name === 'string' && name.length <= MAX_NAME_LENGTH ? name : undefined
  const isPicture = typeof picture === 'string' && picture.length <= MAX_URL_LENGTH && picture.startsWith('https://')
  if (shownName === undefined && !isPicture) return undefined
  return { ...(shownName !== undefined && { name: shownName }), ...(isPicture && { picture }) }
}
