// The usual three of an Express app, as their READMEs show: jose verifies each token, http-proxy-middleware streams the
// request through over kept connections. No body parser, for it would only be in the way; neither logs by default.
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import express from 'express'
import { createProxyMiddleware } from 'http-proxy-middleware'
import { importSPKI, jwtVerify } from 'jose'

const { PORT, UPSTREAM_URL, API_KEY, JWT_PUBLIC_KEY_FILE, JWT_ISSUER, JWT_AUDIENCE } = process.env

const key = await importSPKI(await readFile(JWT_PUBLIC_KEY_FILE, 'utf8'), 'RS256')
const expected = { algorithms: ['RS256'], issuer: JWT_ISSUER, audience: JWT_AUDIENCE, requiredClaims: ['exp', 'sub'] }

async function requireUser(request, response, next) {
  const token = /^Bearer (.+)$/i.exec(request.get('authorization') ?? '')?.[1] ?? ''
  try {
    const { payload } = await jwtVerify(token, key, expected)
    request.user = payload.sub
  } catch {
    response.status(401).json({ error: 'unauthenticated' })
    return
  }
  next()
}

const proxy = createProxyMiddleware({
  target: UPSTREAM_URL,
  changeOrigin: true,
  agent: new Agent({ keepAlive: true }),
  pathRewrite: { '^/threads/([^/]+)/replies': '/v3/messages/$1/thread' },
  on: {
    proxyReq(proxied, request) {
      proxied.setHeader('apikey', API_KEY)
      proxied.setHeader('onBehalfOf', request.user)
      proxied.removeHeader('authorization')
    }
  }
})

const app = express()
app.post('/threads/:parentId/replies', requireUser, proxy)
app.listen(Number(PORT), '127.0.0.1')
