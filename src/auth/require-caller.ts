import fp from 'fastify-plugin'
import { type BearerTokenOptions, verifyBearerToken } from './bearer-token.ts'
import type { Caller } from './caller.ts'
import { bearerTokenOf } from './credentials.ts'
import { TokenCache } from './token-cache.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling; present inside the signed-in scope only. */
    caller: Caller
  }
}

export interface RequireCallerOptions {
  readonly bearer: BearerTokenOptions
  readonly sessionCookie: string
}

/** Refuses every request of its scope that does not prove who sends it. */
export const requireCaller = fp<RequireCallerOptions>(
  async (app, { bearer, sessionCookie }) => {
    const cache = new TokenCache()
    app.decorateRequest('caller')
    app.addHook('onRequest', async request => {
      const token = bearerTokenOf(request.raw.rawHeaders, sessionCookie)
      const { generation } = bearer.keys
      const known = cache.get(token, bearer.clock.now(), generation)
      const verified = known ?? (await verifyBearerToken(token, bearer))
      if (!known) cache.set(token, verified, generation)
      request.caller = verified.caller
    })
  },
  { name: 'require-caller', fastify: '5.x' }
)
