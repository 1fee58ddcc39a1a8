// Fastify's own plugins, joined as their READMEs show: the token is verified before the proxy's handler, each time (the
// cache of @fastify/jwt is off unless asked for), bodies are streamed through. Fastify logs nothing unless told to.
import { readFileSync } from 'node:fs'
import proxy from '@fastify/http-proxy'
import jwt from '@fastify/jwt'
import fastify from 'fastify'

const { PORT, UPSTREAM_URL, API_KEY, JWT_PUBLIC_KEY_FILE, JWT_ISSUER, JWT_AUDIENCE } = process.env

const app = fastify()

await app.register(jwt, {
  secret: { public: readFileSync(JWT_PUBLIC_KEY_FILE, 'utf8') },
  verify: { algorithms: ['RS256'], allowedIss: JWT_ISSUER, allowedAud: JWT_AUDIENCE, requiredClaims: ['exp', 'sub'] }
})

await app.register(proxy, {
  upstream: UPSTREAM_URL,
  prefix: '/threads/:parentId/replies',
  rewritePrefix: '/v3/messages/:parentId/thread',
  httpMethods: ['POST'],
  preHandler: request => request.jwtVerify(),
  replyOptions: {
    // Names as Node has them: what the client sent under the same name is replaced.
    rewriteRequestHeaders: (request, { authorization, ...headers }) => ({
      ...headers,
      apikey: API_KEY,
      onbehalfof: request.user.sub
    })
  }
})

await app.listen({ host: '127.0.0.1', port: Number(PORT) })
