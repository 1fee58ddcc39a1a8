import type { Test } from 'tap'
import { createCometChatEmulator, type EmulatorOptions } from '../../emulator/cometchat-emulator.ts'
import { canary } from './canaries.ts'
import type { Json } from './json.ts'
import type { RunningService } from './service-process.ts'
import { tokenFor } from './tokens.ts'

/** Not the emulator's own: the key that comes of that one stands in our documents, and the service warns of it. */
const SEED = 7

/** An emulator with a conversation of two, a group, an outsider, and one parent message in each conversation. */
export async function startEmulator(t: Test, options: EmulatorOptions = {}) {
  const emulator = createCometChatEmulator({
    seed: SEED,
    apiKeys: [{ key: canary(), scope: 'fullAccess' }],
    ...options
  })
  const { url } = await emulator.start()
  t.teardown(() => emulator.stop())
  for (const uid of ['alice', 'bob', 'carol', 'mallory']) emulator.addUser({ uid })
  emulator.addGroup({ guid: 'team', members: ['alice', 'bob', 'carol'] })
  const parent = emulator.addMessage({ sender: 'bob', receiver: 'alice', receiverType: 'user', text: 'Hi' })
  const groupParent = emulator.addMessage({ sender: 'carol', receiver: 'team', receiverType: 'group', text: 'Hi' })
  const env = { COMETCHAT_BASE_URL: url, COMETCHAT_API_KEY: emulator.apiKey }
  return { emulator, env, parentId: parent.id, groupParentId: groupParent.id }
}

export interface ReplyAttempt {
  readonly as?: string
  readonly token?: string
  readonly parentId: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export interface ReplyAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Json
}

/** Posts a reply over the wire, as a client would. */
export async function postReply(service: Pick<RunningService, 'url'>, attempt: ReplyAttempt): Promise<ReplyAnswer> {
  const token = attempt.token ?? (await tokenFor(attempt.as ?? 'alice'))
  const { body = { data: { text: 'hello' } } } = attempt
  const response = await fetch(`${service.url}/threads/${attempt.parentId}/replies`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...attempt.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body)
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: parse(text) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
