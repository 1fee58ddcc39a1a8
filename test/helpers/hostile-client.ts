// A client that sends exactly the bytes it is given and keeps every answer that comes back.

import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Json } from './json.ts'

export interface HostileAnswer {
  readonly status: number
  /** Status line and header lines, as they came. */
  readonly head: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly json: Json
}

export interface HostileRequest {
  readonly method?: string
  readonly target: string
  readonly version?: string
  /** Whole header lines, without line ends; `Host` comes first unless `host` is false. */
  readonly lines?: readonly string[]
  readonly host?: boolean
  readonly body?: string | Buffer
  /** False leaves `Content-Length` to the caller. */
  readonly sized?: boolean
}

export interface HostileClient {
  readonly socket: Socket
  send(bytes: string | Buffer): void
  /** Everything received so far. */
  text(): string
  /** The answers received so far, informational ones left out. */
  answers(): HostileAnswer[]
  /** Resolves once there are so many answers, the connection has ended, or the time is over. */
  waitForAnswers(count: number, timeoutMs?: number): Promise<HostileAnswer[]>
  /** Resolves with true once the peer has ended the connection, false when the time is over. */
  ended(timeoutMs?: number): Promise<boolean>
}

const PATIENCE_MS = 30_000

/** One request as bytes; header lines are written as Latin-1. */
export function hostileBytes(request: HostileRequest): Buffer {
  const { method = 'POST', target, version = 'HTTP/1.1', lines = [], host = true, body = '', sized = true } = request
  const bytes = Buffer.from(body)
  const head = [
    `${method} ${target} ${version}`,
    ...(host ? ['Host: service.test'] : []),
    ...lines,
    ...(sized ? [`Content-Length: ${bytes.length}`] : []),
    '',
    ''
  ].join('\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes])
}

/** Opens a connection; whoever opens it destroys its socket. */
export function openHostile(url: string): HostileClient {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const chunks: Buffer[] = []
  let isOver = false
  socket.on('data', chunk => chunks.push(chunk))
  socket.on('error', () => undefined)
  const end = (): void => {
    isOver = true
  }
  socket.on('end', end).on('close', end)
  const answers = (): HostileAnswer[] => readAnswers(Buffer.concat(chunks), isOver)
  const waitUntil = async (isDone: () => boolean, timeoutMs: number): Promise<void> => {
    for (const endMs = performance.now() + timeoutMs; !isDone() && performance.now() < endMs; ) await sleep(2)
  }

  return {
    socket,
    send: bytes => void (socket.writable && socket.write(bytes)),
    text: () => Buffer.concat(chunks).toString('latin1'),
    answers,
    async waitForAnswers(count, timeoutMs = PATIENCE_MS) {
      await waitUntil(() => isOver || answers().length >= count, timeoutMs)
      return answers()
    },
    async ended(timeoutMs = PATIENCE_MS) {
      await waitUntil(() => isOver, timeoutMs)
      return isOver
    }
  }
}

function readAnswers(received: Buffer, isOver: boolean): HostileAnswer[] {
  const answers: HostileAnswer[] = []
  for (let rest = received; ; ) {
    const found = readAnswer(rest, isOver)
    if (!found) return answers
    if (found.answer.status > 199) answers.push(found.answer)
    rest = found.rest
  }
}

function readAnswer(bytes: Buffer, isOver: boolean): { answer: HostileAnswer; rest: Buffer } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const head = bytes.subarray(0, headEnd).toString('latin1')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 999)
  const headers = headersOf(head)
  // Without a length a body lasts until the connection ends.
  const length = headers['content-length'] ?? (isOver && status > 199 ? bytes.length - headEnd - 4 : 0)
  const bodyEnd = headEnd + 4 + Number(length)
  if (bytes.length < bodyEnd) return undefined
  const body = bytes.subarray(headEnd + 4, bodyEnd).toString()
  return { answer: { status, head, headers, body, json: parse(body) }, rest: bytes.subarray(bodyEnd) }
}

function headersOf(head: string): Record<string, string> {
  const headers = new Headers()
  for (const line of head.split('\r\n').slice(1)) headers.append(line.replace(/:.*$/, ''), line.replace(/^[^:]*:/, ''))
  return Object.fromEntries(headers)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
