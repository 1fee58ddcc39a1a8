// What an attack is aimed at: one service before one local CometChat, and what must hold after every attempt.

import type { Test } from 'tap'
import type { EmulatorOptions } from '../../emulator/cometchat-emulator.ts'
import { hostService } from './hosted-service.ts'
import {
  type HostileAnswer,
  type HostileClient,
  type HostileRequest,
  hostileBytes,
  openHostile
} from './hostile-client.ts'
import type { Json } from './json.ts'
import type { RunningService, ServiceEnv, StartedWhen, StartService } from './service-process.ts'
import { startService } from './service-process.ts'
import { postReply, type ReplyAttempt, startEmulator } from './thread.ts'
import { tokenFor } from './tokens.ts'

export type Target = Awaited<ReturnType<typeof startTarget>>

export interface TargetOptions {
  readonly env?: ServiceEnv
  /** Makes the tokens of ordinary callers; signed with the shared secret unless given. */
  readonly mint?: (user: string) => Promise<string>
  readonly emulator?: EmulatorOptions
  readonly waitFor?: StartedWhen
}

/** Beside the services of other tests. */
export const startTarget = (t: Test, options: TargetOptions = {}) => startWith(hostService, t, options)
/** In a process of its own. */
export const startTargetProcess = (t: Test, options: TargetOptions = {}) => startWith(startService, t, options)

async function startWith<S extends RunningService>(start: StartService<S>, t: Test, options: TargetOptions) {
  const { env: overrides = {}, mint = user => tokenFor(user), waitFor = 'ready' } = options
  const { emulator, env, parentId, groupParentId } = await startEmulator(t, options.emulator)
  const service = await start(t, { ...env, ...overrides }, waitFor)
  const tokens = { alice: await mint('alice'), bob: await mint('bob'), carol: await mint('carol') }
  const path = `/threads/${parentId}/replies`

  /** The lines of a request that would be accepted as it is. */
  const goodLines = (as: keyof typeof tokens = 'alice'): string[] => [
    `Authorization: Bearer ${tokens[as]}`,
    'Content-Type: application/json'
  ]

  return {
    emulator,
    service,
    parentId,
    groupParentId,
    path,
    tokens,
    goodLines,
    goodBody: (text = 'hello') => JSON.stringify({ data: { text } }),
    post: async ({ as = 'alice', token, ...attempt }: Omit<ReplyAttempt, 'parentId'> & { parentId?: string }) =>
      postReply(service, { parentId, token: token ?? (await mint(as)), ...attempt }),
    /** Opens a connection that ends with the test. */
    open(t: Test): HostileClient {
      const client = openHostile(service.url)
      t.teardown(() => void client.socket.destroy())
      return client
    },
    /** Sends one request on a connection of its own, to this service or another one. */
    async send({
      url = service.url,
      ...request
    }: Partial<HostileRequest> & { lines: readonly string[]; url?: string }): Promise<HostileAnswer | undefined> {
      const client = openHostile(url)
      client.send(hostileBytes({ target: path, body: JSON.stringify({ data: { text: 'hello' } }), ...request }))
      const [answer] = await client.waitForAnswers(1)
      client.socket.destroy()
      return answer
    },
    /** The bodies that CometChat received in POSTs since the last look, without the marker of this service. */
    takeBodies(): JsonObject[] {
      const posts = emulator.requests.filter(({ method }) => method === 'POST')
      emulator.clear()
      return posts.map(({ body }) => withoutMarker(JSON.parse(body)))
    },
    /** What was posted since the last look. */
    takePosts() {
      const posts = [...emulator.ledger]
      emulator.clear()
      return posts
    }
  }
}

export interface JsonObject {
  readonly [name: string]: unknown
}

function withoutMarker(body: JsonObject): JsonObject {
  const { metadata, ...data } = body['data'] as { metadata?: JsonObject }
  const { bffDelivery, ...rest } = metadata ?? {}
  const isOurs = metadata !== undefined && bffDelivery !== undefined && Object.keys(rest).length === 0
  return { ...body, data: metadata === undefined || isOurs ? data : { ...data, metadata: rest } }
}

interface SeenRefusal {
  readonly status: number
  readonly headers: Headers | Readonly<Record<string, string>>
  readonly json: Json
}

/** Asserts that an answer is a problem of this service, complete, and says that nothing was posted. */
export function isRefusal(t: Test, answer: SeenRefusal | undefined, status: number, code: string, name = code): void {
  const header = (field: string): string | null | undefined =>
    answer?.headers instanceof Headers ? answer.headers.get(field) : answer?.headers[field]
  const requestId = header('x-request-id')
  t.match(
    {
      status: answer?.status,
      type: header('content-type'),
      cache: header('cache-control'),
      sniff: header('x-content-type-options'),
      problem: answer?.json
    },
    {
      status,
      type: /^application\/problem\+json/,
      cache: 'no-store',
      sniff: 'nosniff',
      problem: {
        type: /^\S+$/,
        title: String,
        detail: String,
        status,
        code,
        delivery: 'not-sent',
        retryable: Boolean,
        instance: `urn:request:${requestId}`
      }
    },
    name
  )
}

/** Asserts that the process lives and an ordinary reply is posted once, under the right name. */
export async function stillServes(t: Test, target: Target): Promise<void> {
  target.takePosts()
  const answer = await target.post({ as: 'alice' })
  t.equal(answer.status, 201, 'an ordinary reply is still accepted')
  t.same(
    target.takePosts().map(({ onBehalfOf }) => onBehalfOf),
    ['alice'],
    'and posted once'
  )
  t.equal(target.service.hasEnded(), false, 'the process lives')
}
