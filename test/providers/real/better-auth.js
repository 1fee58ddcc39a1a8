// An app with Better Auth and its plugin for JWTs, as its own documents set it up; its database is in memory.
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'
import { bearer, jwt } from 'better-auth/plugins'

const tables = { user: [], session: [], account: [], verification: [], jwks: [] }

/** Starts the app on a port of loopback; `stop` ends it. */
export async function startBetterAuth(port) {
  const baseURL = `http://127.0.0.1:${port}`
  const auth = betterAuth({
    baseURL,
    secret: 'an-example-of-a-secret-of-better-auth-0123456789',
    database: memoryAdapter(tables),
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    plugins: [jwt(), bearer()]
  })
  const server = createServer(toNodeHandler(auth))
  await new Promise(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    baseURL,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
  }
}
