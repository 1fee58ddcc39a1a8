// Who is signed in on which phone of a browser, by the authorization code flow with PKCE (RFC 6749, RFC 7636).
import { randomUUID } from 'node:crypto'
import * as oidc from 'openid-client'
import { CLIENT_ID, type OpenIdProvider, SCOPE } from '../world/openid-provider.ts'
import { PHONES, type Phone } from '../world/people.ts'

interface SignedIn {
  user: string
  accessToken: string
  refreshToken: string
  /** The next token that is asked for is one that ended an hour ago. */
  hasEnded: boolean
  endsAtMs: number
}

interface Begun {
  readonly phone: Phone
  readonly verifier: string
  readonly nonce: string
  /** Where to go afterwards. */
  readonly next: string
}

/** One for each browser: its phones, and sign-ins that are under way. */
interface Browser {
  readonly phones: Map<Phone, SignedIn>
  readonly begun: Map<string, Begun>
}

const RENEW_BEFORE_MS = 30_000

export type SignIns = Awaited<ReturnType<typeof createSignIns>>

export async function createSignIns(provider: OpenIdProvider, appOrigin: string) {
  const browsers = new Map<string, Browser>()
  const secret = oidc.ClientSecretPost(provider.clientSecret)
  const config = await oidc.discovery(new URL(provider.issuer), CLIENT_ID, undefined, secret, {
    execute: [oidc.allowInsecureRequests]
  })

  const keep = (phones: Browser['phones'], phone: Phone, tokens: oidc.TokenEndpointResponse, user: string): void => {
    const endsAtMs = Date.now() + (tokens.expires_in ?? 0) * 1000
    const { access_token: accessToken, refresh_token: refreshToken = '' } = tokens
    phones.set(phone, { user, accessToken, refreshToken, endsAtMs, hasEnded: false })
  }

  return {
    /** The id for a browser that has none. */
    newBrowser(): string {
      const id = randomUUID()
      browsers.set(id, { phones: new Map(), begun: new Map() })
      return id
    },

    knows: (id: string): boolean => browsers.has(id),

    /** Where to send the browser; `quick` asks nobody, and signs in whose phone it is. */
    async begin(id: string, phone: Phone, next: string, quick: boolean): Promise<string> {
      const verifier = oidc.randomPKCECodeVerifier()
      const state = oidc.randomState()
      const nonce = oidc.randomNonce()
      browsers.get(id)?.begun.set(state, { phone, verifier, nonce, next })
      return oidc.buildAuthorizationUrl(config, {
        redirect_uri: `${appOrigin}/signed-in`,
        scope: `openid ${SCOPE}`,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        prompt: 'login',
        login_hint: phone,
        state,
        nonce,
        ...(quick && { quick: 'yes' })
      }).href
    },

    /** The provider sent the browser back; resolves with where to go next. */
    async finish(id: string, url: URL): Promise<string> {
      const browser = browsers.get(id)
      const begun = browser?.begun.get(url.searchParams.get('state') ?? '')
      if (!browser || !begun) return '/'
      browser.begun.clear()
      // Nobody signed in: the phone stays as it was.
      if (url.searchParams.has('error')) return begun.next
      const tokens = await oidc.authorizationCodeGrant(config, url, {
        pkceCodeVerifier: begun.verifier,
        expectedState: url.searchParams.get('state') ?? '',
        expectedNonce: begun.nonce
      })
      keep(browser.phones, begun.phone, tokens, tokens.claims()?.sub ?? '')
      return begun.next
    },

    /** The access token of a phone, a new one where it is about to end; undefined when nobody is signed in. */
    async token(id: string, phone: Phone): Promise<string | undefined> {
      const phones = browsers.get(id)?.phones
      const signedIn = phones?.get(phone)
      if (!phones || !signedIn) return undefined
      if (signedIn.hasEnded) {
        // Once: who asks again after a 401 gets a new one, as every library for sign-ins does.
        Object.assign(signedIn, { hasEnded: false, endsAtMs: 0 })
        return provider.tokenFor(signedIn.user, true)
      }
      if (Date.now() < signedIn.endsAtMs - RENEW_BEFORE_MS) return signedIn.accessToken
      keep(phones, phone, await oidc.refreshTokenGrant(config, signedIn.refreshToken), signedIn.user)
      return phones.get(phone)?.accessToken
    },

    user: (id: string, phone: Phone): string | undefined => browsers.get(id)?.phones.get(phone)?.user,
    signOut: (id: string, phone: Phone): void => void browsers.get(id)?.phones.delete(phone),

    /** Ends the tokens of all phones, without signing anybody out. */
    async expire(): Promise<void> {
      for (const { phones } of browsers.values()) for (const signedIn of phones.values()) signedIn.hasEnded = true
    },

    /** Both phones, one after the other, without a question. */
    async beginBoth(id: string): Promise<string> {
      const [first, second] = PHONES
      return this.begin(id, first, `/sign-in/${second}?quick=yes`, true)
    }
  }
}
