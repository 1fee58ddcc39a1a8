// A real OpenID provider (oidc-provider, certified) on loopback. Whoever comes to sign in is alice, unless told otherwise.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { Provider } from 'oidc-provider'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'

export const CLIENT_ID = 'thread-replies-login'
export const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'
export const CLIENT_SECRET = 'canary-client-secret-1f0c6c4d2b'

export interface OpenIdProvider {
  readonly issuer: string
  /** Who signs in next; undefined refuses. */
  user: string | undefined
  /** Every request the provider got, as `GET /auth`. */
  readonly requests: readonly string[]
  /** Every token that the provider gave to the service. */
  readonly issued: readonly string[]
  /** Replaces the next answer of an address, once. */
  answerOnce(path: string, answer: (response: ServerResponse) => void): void
  /** A token as this provider signs it. */
  sign(claims: JWTPayload, header?: Readonly<Record<string, string>>): Promise<string>
  /** A logout token as this provider signs it; members can be overridden or taken away. */
  logoutToken(claims?: JWTPayload, header?: Readonly<Record<string, string>>): Promise<string>
  stop(): Promise<void>
  /** Listens again on the address it had. */
  resume(): Promise<void>
}

/** A new one for each provider would cost more than the provider. */
const { privateKey } = await generateKeyPair('RS256', { extractable: true })

type Init = Pick<Required<RequestInit>, 'method' | 'headers' | 'body'>
type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Starts a provider that knows one confidential client, which lives at `origin`. */
export async function startOpenIdProvider(
  t: Pick<Test, 'teardown'>,
  origin: string,
  overrides: object = {}
): Promise<OpenIdProvider> {
  const key = { ...(await exportJWK(privateKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  const requests: string[] = []
  const issued: string[] = []
  const canned = new Map<string, (response: ServerResponse) => void>()
  let handle: Handler = () => undefined
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost')
    requests.push(`${request.method} ${pathname}`)
    const answer = canned.get(pathname)
    canned.delete(pathname)
    if (answer) return answer(response)
    if (pathname === '/token') rememberTokens(response, issued)
    handle(request, response)
  })
  const listen = (port: number) => new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  const port = await freePort()
  await listen(port)
  t.teardown(stop)
  const issuer = `http://127.0.0.1:${port}`
  const provider = new Provider(issuer, configurationFor(origin, key, overrides))
  const state: { user: string | undefined } = { user: 'alice' }
  const respond = provider.callback()
  handle = (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return respond(request, response)
    void interact(provider, state.user, request, response)
  }

  const sign = (claims: JWTPayload, header: Readonly<Record<string, string>> = {}): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(privateKey)

  return Object.assign(state, {
    issuer,
    requests,
    issued,
    answerOnce: (path: string, answer: (response: ServerResponse) => void) => void canned.set(path, answer),
    sign,
    logoutToken: (claims: JWTPayload = {}, header: Readonly<Record<string, string>> = {}) => {
      const now = Math.floor(Date.now() / 1000)
      const events = { [LOGOUT_EVENT]: {} }
      const usual = { iss: issuer, aud: CLIENT_ID, iat: now, exp: now + 120, jti: crypto.randomUUID(), events }
      return sign({ ...usual, ...claims }, { typ: 'logout+jwt', ...header })
    },
    stop,
    resume: () => listen(port)
  })
}

function configurationFor(origin: string, key: object, overrides: object): object {
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [`${origin}/auth/callback`],
        post_logout_redirect_uris: [`${origin}/auth/logged-out`],
        backchannel_logout_uri: `${origin}/auth/backchannel-logout`,
        backchannel_logout_session_required: true
      }
    ],
    jwks: { keys: [key] },
    cookies: { keys: ['cookies of the provider'] },
    claims: { openid: ['sub'], profile: ['name', 'picture'] },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ sub, name: `Name of ${sub}`, picture: `https://pictures.test/${sub}` })
    }),
    pkce: { required: () => true },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: true, logoutSource: confirmLogout },
      backchannelLogout: { enabled: true },
      ...('features' in overrides && typeof overrides.features === 'object' ? overrides.features : {})
    },
    // Its own guard against calls to loopback is what would be in the way here.
    fetch: (url: string, { method, headers, body }: Init) => fetch(url, { method, headers, body }),
    ...Object.fromEntries(Object.entries(overrides).filter(([name]) => name !== 'features'))
  }
}

/** The provider asks whether to sign out; its form is what a test fills in. */
function confirmLogout(context: { body: string }, form: string): void {
  context.body = `<!doctype html>${form.replace('</form>', '<input type="hidden" name="logout" value="yes"></form>')}`
}

async function interact(
  provider: Provider,
  user: string | undefined,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const { params, prompt, session } = await provider.interactionDetails(request, response)
  if (user === undefined) {
    const refusal = { error: 'access_denied', error_description: 'canary-text-of-the-provider' }
    return provider.interactionFinished(request, response, refusal)
  }
  if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: user } })
  const grant = new provider.Grant({ accountId: session?.accountId ?? user, clientId: params['client_id'] ?? '' })
  grant.addOIDCScope(params['scope'] ?? '')
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
}

/** Keeps what the token endpoint gives out, to look for it where it must not be. */
function rememberTokens(response: ServerResponse, issued: string[]): void {
  const end = response.end.bind(response)
  response.end = ((chunk?: unknown, ...rest: never[]) => {
    const text = Buffer.isBuffer(chunk) || typeof chunk === 'string' ? String(chunk) : ''
    for (const [, token = ''] of text.matchAll(/"(?:access_token|id_token|refresh_token)":"([^"]+)"/g))
      issued.push(token)
    return end(chunk as never, ...rest)
  }) as typeof response.end
}
