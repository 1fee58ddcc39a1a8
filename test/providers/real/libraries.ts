// What the tests use of the libraries, which are loaded where they are installed.
import type { Test } from 'tap'
import { freePort } from '../../helpers/free-port.ts'

interface BetterAuthApp {
  readonly baseURL: string
  stop(): Promise<void>
}

export interface SignedInUser {
  readonly id: string
  /** For other services. */
  readonly jwt: string
  /** For the app itself. */
  readonly session: string
}

/** Starts an app with Better Auth that ends with the test; `signUp` makes a user and asks for their tokens. */
export async function startBetterAuth(t: Pick<Test, 'teardown'>) {
  const file = new URL('better-auth.js', import.meta.url).href
  const library: { startBetterAuth(port: number): Promise<BetterAuthApp> } = await import(file)
  const { baseURL, stop } = await library.startBetterAuth(await freePort())
  t.teardown(stop)
  return {
    baseURL,
    async signUp(name: string): Promise<SignedInUser> {
      const made = await fetch(`${baseURL}/api/auth/sign-up/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: baseURL },
        body: JSON.stringify({ email: `${name}@example.com`, password: 'correct horse battery', name })
      })
      const { user } = (await made.json()) as { user: { id: string } }
      const session = made.headers.get('set-auth-token') ?? ''
      const asked = await fetch(`${baseURL}/api/auth/token`, { headers: { authorization: `Bearer ${session}` } })
      const { token } = (await asked.json()) as { token: string }
      return { id: user.id, jwt: token, session }
    }
  }
}

export interface JsonWebToken {
  sign(payload: object, secret: string, options?: object): string
}

export async function loadJsonWebToken(): Promise<JsonWebToken> {
  const { default: library } = await import(new URL('node_modules/jsonwebtoken/index.js', import.meta.url).href)
  return library
}
