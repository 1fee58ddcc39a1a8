// A client that shows exactly which bytes came, when, and how the connection ended.
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CometChatEmulator } from '../../emulator/handles.ts'
import { toBob } from './start-emulator.ts'

export type Ended = 'open' | 'close' | 'reset'

export interface Seen {
  readonly bytes: string
  readonly ended: Ended
}

export interface RawClient {
  readonly socket: Socket
  send(text: string): void
  /** What has come so far, once the connection ended or the waiting time is over. */
  seen(waitMs?: number): Promise<Seen>
}

const PATIENCE_MS = 250
/** For a connection that is going to end: nothing waits so long unless it does not. */
export const UNTIL_END_MS = 5000

export const patienceFor = (ended: Ended): number => (ended === 'open' ? PATIENCE_MS : UNTIL_END_MS)

export function connectRaw(emulator: CometChatEmulator): RawClient {
  const { hostname, port } = new URL(emulator.url)
  const socket = connect(Number(port), hostname)
  let bytes = ''
  let ended: Ended = 'open'
  const over = new Promise<void>(resolve => {
    socket.on('close', () => resolve())
  })
  socket.setEncoding('latin1')
  socket.on('data', chunk => {
    bytes += chunk
  })
  socket.on('end', () => {
    ended = 'close'
  })
  socket.on('error', () => {
    ended = 'reset'
  })
  return {
    socket,
    send: text => void socket.write(text),
    async seen(waitMs = PATIENCE_MS) {
      // Unreferenced: a wait that has lost must not keep the process alive.
      await Promise.race([over, sleep(waitMs, undefined, { ref: false })])
      return { bytes, ended }
    }
  }
}

export function replyBytes({ apiKey }: CometChatEmulator, body: unknown = toBob): string {
  const text = JSON.stringify(body)
  return [
    'POST /v3/messages/100/thread HTTP/1.1',
    'Host: emulator',
    `apikey: ${apiKey}`,
    'onBehalfOf: alice',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    '',
    text
  ].join('\r\n')
}

/** Sends one reply on a connection of its own. */
export async function replyRaw(emulator: CometChatEmulator, waitMs?: number): Promise<Seen> {
  const client = connectRaw(emulator)
  client.send(replyBytes(emulator))
  const seen = await client.seen(waitMs)
  client.socket.destroy()
  return seen
}
