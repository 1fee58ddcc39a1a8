// A client that sends what no HTTP library would, byte by byte, over a connection that it keeps in its hand.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import type { ReplyAnswer } from './thread.ts'

export interface RawConnection {
  readonly socket: Socket
  send(text: string | Buffer): void
  /** The next answer on this connection; rejects when it ends or stays silent for too long. */
  answer(timeoutMs?: number): Promise<ReplyAnswer>
  /** Resolves once the other side has ended the connection. */
  readonly ended: Promise<void>
}

const PATIENCE_MS = 30_000

/** Opens a connection that is destroyed when the test ends. */
export async function connectRaw(t: Test, url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  let held: Buffer = Buffer.alloc(0)
  let isOver = false
  const ended = new Promise<void>(resolve => {
    socket.once('close', () => {
      isOver = true
      resolve()
    })
  })
  // A reset is one more way for a connection to end; 'close' follows.
  socket.on('error', () => undefined)
  socket.on('data', chunk => {
    held = Buffer.concat([held, chunk])
  })
  await once(socket, 'connect')

  async function answer(timeoutMs = PATIENCE_MS): Promise<ReplyAnswer> {
    const tooLate = AbortSignal.timeout(timeoutMs)
    for (;;) {
      const taken = takeAnswer(held)
      if (taken) {
        held = taken.rest
        return taken.answer
      }
      if (isOver || tooLate.aborted) throw new Error(`no answer; so far: ${held.toString('latin1')}`)
      await Promise.race([once(socket, 'data', { signal: tooLate }).catch(() => undefined), ended])
    }
  }
  return { socket, send: text => void socket.write(text), answer, ended }
}

/** The bytes of one request; `content-length` is added where there is a body. */
export function requestBytes(line: string, headers: Readonly<Record<string, string>>, body = ''): string {
  const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const lines = Object.entries({ host: 'bff.test', ...length, ...headers }).map(([name, value]) => `${name}: ${value}`)
  return [`${line} HTTP/1.1`, ...lines, '', body].join('\r\n')
}

function takeAnswer(bytes: Buffer): { answer: ReplyAnswer; rest: Buffer } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
  const headers = new Headers()
  for (const line of lines) headers.append(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim())
  const length = Number(headers.get('content-length') ?? 0)
  const body = bytes.subarray(headEnd + 4, headEnd + 4 + length)
  if (body.length < length) return undefined
  const text = body.toString()
  const isJson = headers.get('content-type')?.includes('json') === true
  const answer = {
    status: Number(statusLine.split(' ')[1]),
    headers,
    text,
    json: isJson ? JSON.parse(text) : undefined
  }
  return { answer, rest: bytes.subarray(headEnd + 4 + length) }
}
