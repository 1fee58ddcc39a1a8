// One request and its socket, with what a fault needs to answer it in any way, proper or not.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from './context.ts'
import type { Ending } from './faults.ts'
import type { Ledger } from './ledger.ts'
import type { ReceivedRequest } from './types.ts'

/** Long enough for the client to read what came before a reset, which would else be lost. */
const SETTLE_BEFORE_RESET_MS = 20

export interface Exchange {
  readonly res: ServerResponse
  readonly socket: Socket
  readonly record: ReceivedRequest
  /** The answer that a healthy CometChat would give. It is worked out once, and posts nothing. */
  readonly answer: () => Answer
  readonly commit: (answer: Answer) => void
  readonly commitLater: (answer: Answer, afterMs: number) => void
  readonly ledger: Ledger
  /** The key as an error text shows it. */
  readonly keyInText: (key: string) => string
  /** Has this sent on the connection as soon as its next request has arrived, before the proper answer. */
  readonly poisonNext: (bytes: string) => void
  /** Told of the proper answer that is given. */
  readonly answered: (answer: ProperAnswer) => void
  /** Aborted when the emulator stops. */
  readonly signal: AbortSignal
}

/** Resolves false when the emulator stopped meanwhile or nobody is there to listen any more. */
export async function waited({ socket, signal }: Exchange, ms: number): Promise<boolean> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined)
  return !signal.aborted && !socket.destroyed
}

export const write = ({ socket }: Exchange, bytes: string | Buffer): Promise<void> =>
  new Promise(resolve => {
    if (socket.destroyed) resolve()
    else socket.write(bytes, () => resolve())
  })

export async function end(exchange: Exchange, ending: Ending): Promise<void> {
  const { socket } = exchange
  if (ending === 'close') {
    socket.destroySoon()
    return
  }
  if (socket.bytesWritten > 0) await waited(exchange, SETTLE_BEFORE_RESET_MS)
  if (!socket.destroyed) socket.resetAndDestroy()
}

export interface Head {
  readonly status?: number
  readonly statusLine?: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
}

/** The head of an answer as bytes, unchecked: it can be as wrong as its headers are. */
export function headBytes({ status = 200, statusLine = `HTTP/1.1 ${status} X`, headers }: Head): string {
  const lines = Object.entries(headers).flatMap(([name, values]) => [values].flat().map(value => `${name}: ${value}`))
  return `${[statusLine, ...lines].join('\r\n')}\r\n\r\n`
}

export const JSON_TYPE = { 'content-type': 'application/json' } as const

export interface ProperAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: string | Buffer
}

/** Answers through Node's own response, so that the connection stays usable. */
export function respond({ res, record, answered }: Exchange, answer: ProperAnswer): void {
  const { status, headers, body } = answer
  record.status = status
  answered(answer)
  if (res.destroyed) return
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  res.statusCode = status
  if (!res.hasHeader('content-length')) res.setHeader('content-length', Buffer.byteLength(body))
  res.end(body)
}

/** Sends the healthy answer; a request that CometChat would swallow is left unanswered. */
export function sendAnswer(exchange: Exchange, answer: Answer): void {
  if (answer.hangs) return
  const { status, headers } = answer
  respond(exchange, { status, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(answer.body()) })
  answer.afterAnswer?.()
}
