import { createCometChatEmulator, type EmulatorOptions } from '../../emulator/cometchat-emulator.ts'
import type { CometChatEmulator } from '../../emulator/handles.ts'
import type { JsonObject } from '../../emulator/types.ts'

interface Teardown {
  teardown(stop: () => Promise<void>): void
}

interface CallOptions {
  readonly method?: string
  readonly as?: string | null
  readonly key?: string | null
  readonly body?: unknown
  readonly timeoutMs?: number
  /** Ends the call, in the place of `timeoutMs`. */
  readonly signal?: AbortSignal
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: { readonly data: JsonObject; readonly meta: JsonObject; readonly error: JsonObject }
}

/** alice and bob with message 100 from bob to alice; the group team (alice, carol) with message 200; dave alone. */
export async function startEmulator(t: Teardown, options: EmulatorOptions = {}) {
  const emulator = createCometChatEmulator(options)
  for (const uid of ['alice', 'bob', 'carol', 'dave']) emulator.addUser({ uid })
  emulator.addGroup({ guid: 'team', members: ['alice', 'carol'] })
  emulator.addMessage({ id: '100', sender: 'bob', receiver: 'alice', receiverType: 'user' })
  emulator.addMessage({ id: '200', sender: 'carol', receiver: 'team', receiverType: 'group' })
  await emulator.start()
  t.teardown(() => emulator.stop())
  return emulator
}

export const toBob = { receiver: 'bob', receiverType: 'user', data: { text: 'Hi Tom!' } }
export const toTeam = { receiver: 'team', receiverType: 'group', data: { text: 'Hi Tom!' } }

export async function call(emulator: CometChatEmulator, path: string, options: CallOptions = {}): Promise<Reply> {
  const { body, as = null, key = emulator.apiKey, timeoutMs = 2000 } = options
  const { method = body === undefined ? 'GET' : 'POST' } = options
  const headers = {
    ...(key !== null && { apikey: key }),
    ...(as !== null && { onBehalfOf: as }),
    ...(body !== undefined && { 'content-type': 'application/json' })
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const signal = options.signal ?? AbortSignal.timeout(timeoutMs)
  const response = await fetch(`${emulator.url}/v3${path}`, {
    method,
    headers,
    signal,
    ...(body !== undefined && { body: text })
  })
  const answered = await response.text()
  return { status: response.status, headers: response.headers, text: answered, json: parse(answered) }
}

function parse(text: string): Reply['json'] {
  try {
    return JSON.parse(text) as Reply['json']
  } catch {
    return { data: {}, meta: {}, error: {} }
  }
}

export const reply = (emulator: CometChatEmulator, body: unknown = toBob, options: CallOptions = {}) =>
  call(emulator, '/messages/100/thread', { as: 'alice', body, ...options })

export const replyToTeam = (emulator: CometChatEmulator, body: unknown = toTeam, options: CallOptions = {}) =>
  call(emulator, '/messages/200/thread', { as: 'alice', body, ...options })

/** A status and a code in one value, which reads well in a table. */
export const verdict = ({ status, json }: Reply): string =>
  json.error === undefined ? String(status) : `${status} ${json.error['code']}`
