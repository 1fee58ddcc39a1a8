// An app of somebody else that hosts the plugin, and the CometChat that it speaks to.
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import { type ThreadReplies, threadReplies } from '../../src/plugin/thread-replies.ts'
import { startEmulator } from '../helpers/thread.ts'
import { AUDIENCE, ISSUER, SHARED_SECRET, tokenFor } from '../helpers/tokens.ts'

export const PREFIX = '/chat'
export const BY_TOKENS = { AUTH_JWT_ISSUER: ISSUER, AUTH_JWT_AUDIENCE: AUDIENCE, AUTH_JWT_SECRET: SHARED_SECRET }
export const IN_MEMORY = { ...BY_TOKENS, STORE_URL: 'memory:' }

export interface HostOptions {
  readonly server?: FastifyServerOptions
  /** What the app has before the plugin is registered. */
  readonly setUp?: (app: FastifyInstance) => unknown
  readonly settings?: Readonly<Record<string, string>>
  readonly prefix?: string
}

/** Listens on a port of its own. */
export async function startHost(t: Test, { server, setUp, settings, prefix = PREFIX }: HostOptions = {}) {
  const { emulator, env, parentId } = await startEmulator(t)
  const app = fastify({ return503OnClosing: false, ...server })
  t.teardown(() => app.close())
  await setUp?.(app)
  const replies: ThreadReplies = threadReplies({ settings: { ...env, ...IN_MEMORY, ...settings } })
  await app.register(replies, { prefix })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const token = await tokenFor('alice')
  const path = `${prefix}/threads/${parentId}/replies`
  const send = async (body: unknown = { data: { text: 'hello' } }, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body)
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text, json: text === '' ? undefined : JSON.parse(text) }
  }
  const posted = (): number =>
    emulator.requests.filter(({ method, path: called }) => method === 'POST' && called.includes('/thread')).length
  return { app, replies, emulator, env, url, path, parentId, token, send, posted }
}
