// A service that reads the sessions of an app's backend, and replies that carry its cookie.
import type { Test } from 'tap'
import { SECRET } from './app-backends.ts'
import { hostService } from './hosted-service.ts'
import { redisFor } from './redis-server.ts'
import type { RunningService, ServiceEnv, StartedWhen } from './service-process.ts'
import { type ReplyAnswer, startEmulator } from './thread.ts'

export type SessionTarget = Awaited<ReturnType<typeof startSessionTarget>>

/** Redis, a local CometChat, and a service in between that knows the cookie of an app. */
export async function startSessionTarget(t: Test, overrides: ServiceEnv = {}, waitFor: StartedWhen = 'ready') {
  const redis = await redisFor(t)
  const { emulator, env, parentId } = await startEmulator(t)
  const sessionEnv = {
    ...env,
    AUTH_SESSION_STORE_URL: redis.url,
    AUTH_SESSION_SECRET: SECRET
  }
  const service = await hostService(t, { ...sessionEnv, ...overrides }, waitFor)
  return {
    redis,
    emulator,
    parentId,
    service,
    /** Another service beside the first one. */
    start: (t: Test, env: ServiceEnv) => hostService(t, { ...sessionEnv, ...env }),
    reply: (cookie: string, headers?: Record<string, string>, at: RunningService = service) =>
      replyWithCookie(at, parentId, cookie, headers),
    /** Who was spoken for since the last look. */
    takeNames(): unknown[] {
      const names = emulator.ledger.map(({ onBehalfOf }) => onBehalfOf)
      emulator.clear()
      return names
    }
  }
}

/** Posts a reply as a page of the app would: with its cookie and the proof of origin. */
export async function replyWithCookie(
  { url }: Pick<RunningService, 'url'>,
  parentId: string,
  cookie: string,
  headers: Record<string, string> = {}
): Promise<ReplyAnswer> {
  const response = await fetch(`${url}/threads/${parentId}/replies`, {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/json', 'x-csrf': '1', ...headers },
    body: JSON.stringify({ data: { text: 'hello' } })
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) }
}
