// The service with a sign-in of its own, a real OpenID provider, and a browser that has not been there yet.
import type { Test } from 'tap'
import { Browser, type Visit } from './browser.ts'
import { freePort } from './free-port.ts'
import { hostService } from './hosted-service.ts'
import { CLIENT_ID, CLIENT_SECRET, type OpenIdProvider, startOpenIdProvider } from './openid-provider.ts'
import {
  type RunningService,
  type ServiceEnv,
  type StartedWhen,
  type StartService,
  startService
} from './service-process.ts'
import { startEmulator } from './thread.ts'

export const SESSION_COOKIE = '__Host-Http-session'
export const ATTEMPT_COOKIE = '__Host-Http-login'

/** Bearer tokens are off: the login is enough. */
const NO_BEARER: ServiceEnv = {
  AUTH_JWT_ISSUER: undefined,
  AUTH_JWT_AUDIENCE: undefined,
  AUTH_JWT_SECRET: undefined
}

/** The variables of a login, for a provider and the address of the service. */
export function loginEnv(provider: Pick<OpenIdProvider, 'issuer'>, origin: string): ServiceEnv {
  return {
    ...NO_BEARER,
    AUTH_LOGIN_ISSUER: provider.issuer,
    AUTH_LOGIN_CLIENT_ID: CLIENT_ID,
    AUTH_LOGIN_CLIENT_SECRET: CLIENT_SECRET,
    AUTH_LOGIN_URL: origin
  }
}

type LoginArgs = [
  t: Test,
  overrides?: ServiceEnv | ((issuer: string) => ServiceEnv),
  providerOverrides?: object,
  waitFor?: StartedWhen
]

/** Beside the services of other tests. */
export const startLogin = (...args: LoginArgs) => startWith(hostService, ...args)
/** In a process of its own. */
export const startLoginProcess = (...args: LoginArgs) => startWith(startService, ...args)

async function startWith<S extends RunningService>(
  start: StartService<S>,
  ...[t, overrides = {}, providerOverrides = {}, waitFor = 'ready']: LoginArgs
) {
  // The provider must know the address of the service before the service is there.
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const provider = await startOpenIdProvider(t, origin, providerOverrides)
  const { emulator, env, parentId } = await startEmulator(t)
  const more = typeof overrides === 'function' ? overrides(provider.issuer) : overrides
  const serviceEnv = { ...env, ...loginEnv(provider, origin), PORT: String(port), ...more }
  const service = await start(t, serviceEnv, waitFor)

  return { provider, emulator, parentId, origin, service, serviceEnv, ...actions(origin, parentId) }
}

function actions(origin: string, parentId: string) {
  return {
    /** A browser that has signed in, through every redirect. */
    async signIn(browser = new Browser(), returnTo = '/'): Promise<Browser> {
      await browser.travel(`${origin}/auth/login?return_to=${encodeURIComponent(returnTo)}`)
      return browser
    },
    /** Up to the callback, which is left for the test to visit. */
    async untilCallback(browser: Browser): Promise<string> {
      const isCallback = (url: string): boolean => url.startsWith(`${origin}/auth/callback`)
      const last = await browser.travel(`${origin}/auth/login`, { until: isCallback })
      return last.headers.get('location') ?? ''
    },
    me: (browser: Browser): Promise<Visit> => browser.visit(`${origin}/auth/me`, { headers: { accept: '*/*' } }),
    reply: (browser: Browser, headers: Readonly<Record<string, string>> = { 'x-csrf': '1' }): Promise<Visit> =>
      browser.visit(`${origin}/threads/${parentId}/replies`, {
        method: 'POST',
        headers: { accept: '*/*', 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ data: { text: 'hello' } })
      }),
    logout: (browser: Browser, headers: Readonly<Record<string, string>> = { 'x-csrf': '1' }): Promise<Visit> =>
      browser.visit(`${origin}/auth/logout`, { method: 'POST', headers: { accept: '*/*', ...headers } }),
    backChannel: (token: string): Promise<Visit> =>
      new Browser().visit(`${origin}/auth/backchannel-logout`, {
        method: 'POST',
        headers: { accept: '*/*', 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ logout_token: token }).toString()
      })
  }
}
