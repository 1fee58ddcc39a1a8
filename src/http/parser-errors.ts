import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { AppError, PROBLEMS } from '../errors.ts'
import { PROBLEM_MEDIA_TYPE, toProblem } from './problem.ts'

/** Where a connection keeps the answer to the request that it brought last; the answer knows its request. */
const LATEST = Symbol('latest')

type WatchedSocket = Socket & { [LATEST]?: ServerResponse }

/** Remembers that this is the request which its connection brought last. */
export function noteLatest({ socket }: { socket: WatchedSocket }, response: ServerResponse): void {
  socket[LATEST] = response
}

/**
 * Answers what Node's parser refused, and ends the connection.
 * A refusal from the parser is about bytes, not about a request. Written while another answer is due it would be taken
 * for that answer, and call a reply unsent that is on its way; written behind the answer to the same request it would
 * be taken for the answer to the next one.
 */
export function answerClientError(error: Error & { code?: string }, socket: WatchedSocket): void {
  if (!socket.writable || socket.destroyed || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const last = socket[LATEST]
  if (!last || isOver(last)) refuse(error, socket)
  else if (last.req.complete) endAfter(last, socket)
  else if (isUnanswered(last)) refuse(error, socket)
  else socket.destroySoon()
}

/** Whole, and answered: what came behind it is a request of its own. */
function isOver({ req, writableFinished }: ServerResponse): boolean {
  return req.complete && writableFinished
}

/** Whether its turn to be answered has come, and nothing was written yet. */
function isUnanswered({ socket, headersSent }: ServerResponse): boolean {
  return socket !== null && !headersSent
}

/** Lets a whole request have its answer and reads nothing behind it. */
function endAfter(response: ServerResponse, socket: Socket): void {
  response.shouldKeepAlive = false
  response.once('close', () => socket.destroySoon())
  socket.pause()
}

function refuse(error: Error & { code?: string }, socket: Socket): void {
  const refusal = refusalFor(error.code)
  const requestId = randomUUID()
  const body = JSON.stringify(toProblem(refusal, requestId, false))
  const { status, title } = PROBLEMS[refusal.code]
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nconnection: close\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `x-request-id: ${requestId}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy()
  )
}

function refusalFor(code: string | undefined): AppError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new AppError('request-timeout', 'The request took too long to arrive.')
  if (code === 'HPE_HEADER_OVERFLOW') return new AppError('headers-too-large', 'The request headers are too large.')
  return new AppError('malformed-request', 'The request is not valid HTTP/1.1.')
}
