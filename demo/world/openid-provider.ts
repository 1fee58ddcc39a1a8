// A real OpenID provider (oidc-provider, certified) for Alice and Bob. It asks for no password: it is for loopback alone.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { Provider } from 'oidc-provider'
import { finishInteraction } from './interactions.ts'
import { createProviderMemory } from './provider-memory.ts'

export const CLIENT_ID = 'demo-app'
export const AUDIENCE = 'https://replies.demo.test'
/** What an access token is good for. */
export const SCOPE = 'replies'

const ALGORITHM = 'ES256'
const KEY_ID = 'demo'
const ACCESS_TOKEN_SECONDS = 600
const DAY_SECONDS = 86_400
/** A working day: the curl that was printed still works after lunch. */
const TERMINAL_TOKEN_LIFETIME = '12h'

export interface OpenIdProvider {
  readonly issuer: string
  readonly clientSecret: string
  /** What must never reach a browser. */
  readonly secrets: Readonly<Record<string, string>>
  /** A token without a sign-in, for the terminal; `expired` makes one that ended an hour ago. */
  tokenFor(user: string, expired?: boolean): Promise<string>
  stop(): Promise<void>
}

export interface ProviderOptions {
  readonly port: number
  /** Where the app is that signs people in. */
  readonly appOrigin: string
  /** Told of each answer before it is sent. */
  readonly onAnswer: (response: ServerResponse) => void
}

export async function startOpenIdProvider({ port, appOrigin, onAnswer }: ProviderOptions): Promise<OpenIdProvider> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true })
  const key = { ...(await exportJWK(privateKey)), kid: KEY_ID, alg: ALGORITHM, use: 'sig' }
  const issuer = `http://127.0.0.1:${port}`
  const clientSecret = randomBytes(32).toString('base64url')
  const cookieSecret = randomBytes(32).toString('base64url')
  const provider: Provider = new Provider(issuer, {
    ...configurationFor({ appOrigin, clientSecret, cookieSecret, key }),
    // The app is the provider's own: nobody is asked whether it may.
    async loadExistingGrant({ oidc }: GrantContext) {
      const grant = new provider.Grant({ accountId: oidc.session.accountId, clientId: CLIENT_ID })
      grant.addOIDCScope(`openid ${SCOPE}`)
      grant.addResourceScope(AUDIENCE, SCOPE)
      await grant.save()
      return grant
    }
  })
  const respond = provider.callback()

  const tokenFor = (user: string, expired = false): Promise<string> =>
    new SignJWT({ scope: SCOPE, client_id: CLIENT_ID })
      .setProtectedHeader({ alg: ALGORITHM, kid: KEY_ID, typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience(AUDIENCE)
      .setSubject(user)
      .setIssuedAt(expired ? '2 hours ago' : undefined)
      .setExpirationTime(expired ? '1 hour ago' : TERMINAL_TOKEN_LIFETIME)
      .sign(privateKey)

  const server = createServer((request, response) => {
    onAnswer(response)
    const { pathname, searchParams } = new URL(request.url ?? '', issuer)
    if (request.method === 'GET' && pathname === '/token') {
      void answerTerminal(searchParams.get('user'), tokenFor, response)
      return
    }
    if (pathname === '/auth') forgetSession(request, response)
    if (!pathname.startsWith('/interaction/')) return respond(request, response)
    finishInteraction(provider, appOrigin, request, response).catch(() => {
      // An interaction that is over, or was begun in another browser.
      response.writeHead(303, { location: appOrigin }).end()
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')

  return {
    issuer,
    clientSecret,
    secrets: { 'the client secret': clientSecret, 'the signing key': key.d ?? '', 'the cookie secret': cookieSecret },
    tokenFor,
    stop: () => stopServer(server)
  }
}

export async function stopServer(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

/** Plain text, so that `$(curl …)` is the token. */
async function answerTerminal(
  user: string | null,
  tokenFor: OpenIdProvider['tokenFor'],
  response: ServerResponse
): Promise<void> {
  const text = user ? await tokenFor(user) : 'Say for whom: /token?user=alice.'
  response.writeHead(user ? 200 : 400, { 'content-type': 'text/plain' }).end(`${text}\n`)
}

interface GrantContext {
  readonly oidc: { readonly session: { readonly accountId: string } }
}

/** Two phones are one browser here, and each sign-in is about one of them: nobody is signed in before it. */
function forgetSession(request: IncomingMessage, response: ServerResponse): void {
  delete request.headers.cookie
  response.setHeader(
    'set-cookie',
    ['_session', '_session.sig'].map(name => `${name}=; Path=/; Max-Age=0`)
  )
}

interface Parts {
  readonly appOrigin: string
  readonly clientSecret: string
  readonly cookieSecret: string
  readonly key: object
}

type Init = Pick<Required<RequestInit>, 'method' | 'headers' | 'body'>

function configurationFor({ appOrigin, clientSecret, cookieSecret, key }: Parts): object {
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: clientSecret,
        redirect_uris: [`${appOrigin}/signed-in`],
        grant_types: ['authorization_code', 'refresh_token'],
        id_token_signed_response_alg: ALGORITHM
      }
    ],
    adapter: createProviderMemory(),
    jwks: { keys: [key] },
    cookies: { keys: [cookieSecret] },
    claims: { openid: ['sub'] },
    scopes: ['openid', SCOPE],
    ttl: {
      AccessToken: ACCESS_TOKEN_SECONDS,
      AuthorizationCode: 60,
      Grant: DAY_SECONDS,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: DAY_SECONDS,
      Session: DAY_SECONDS
    },
    // Whether the app may skip the question: where it signs both phones in by itself, when its page is opened first.
    extraParams: ['quick'],
    findAccount: (_context: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
    pkce: { required: () => true },
    issueRefreshToken: () => true,
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: SCOPE,
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: ACCESS_TOKEN_SECONDS,
          jwt: { sign: { alg: ALGORITHM } }
        })
      }
    },
    // Its own guard against calls to loopback is what would be in the way here.
    fetch: (url: string, { method, headers, body }: Init) => fetch(url, { method, headers, body })
  }
}
