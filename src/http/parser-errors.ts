import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { AppError } from '../errors.ts'
import { PROBLEMS } from '../lib/refusals/problems.ts'
import { dropRest, dropUnparsed, endAndDrop } from './late-bytes.ts'
import { PROBLEM_MEDIA_TYPE, toProblem } from './problem.ts'

/** The response to the request that a connection brought last; a response knows its request. */
const LAST_RESPONSE = Symbol('last response')

type TrackedSocket = Socket & { [LAST_RESPONSE]?: ServerResponse }

/** Keeps the response beside its connection, for an error of the parser that comes later. */
export function trackLastResponse({ socket }: { socket: TrackedSocket }, response: ServerResponse): void {
  socket[LAST_RESPONSE] = response
}

/**
 * Answers what Node's parser refused, and ends the connection.
 * The parser refuses bytes, not a request, and a client takes the next answer on its connection for the answer to its
 * oldest open request. So the refusal is written only where no other answer is due: before one, it would call a reply
 * unsent that is on its way; behind the answer to the same request, it would answer the next.
 */
export function answerClientError(error: Error & { code?: string }, socket: TrackedSocket): void {
  if (!socket.writable || socket.destroyed || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const last = socket[LAST_RESPONSE]
  if (!last || isOver(last)) refuse(error, socket)
  else if (last.req.complete) endAfter(last, socket)
  else if (isUnanswered(last)) refuse(error, socket)
  else endAndDrop(socket)
}

/** The request is whole and answered: the bytes behind it begin another request. */
function isOver({ req, writableFinished }: ServerResponse): boolean {
  return req.complete && writableFinished
}

/** The response has its turn on the connection, and nothing of it is written yet. */
function isUnanswered({ socket, headersSent }: ServerResponse): boolean {
  return socket !== null && !headersSent
}

/** Answers the whole request and reads nothing behind it. */
function endAfter(response: ServerResponse, socket: Socket): void {
  response.shouldKeepAlive = false
  response.once('close', () => endAndDrop(socket))
  dropUnparsed(socket)
  void dropRest(socket).then(hasEnded => hasEnded || socket.pause())
}

function refuse(error: Error & { code?: string }, socket: Socket): void {
  refuseConnection(refusalFor(error.code), socket)
}

/** Answers a connection on which no other answer is due, and ends it. */
export function refuseConnection(refusal: AppError, socket: Socket): void {
  const requestId = randomUUID()
  const body = JSON.stringify(toProblem(refusal, requestId, false))
  const { status, title } = PROBLEMS[refusal.code]
  socket.write(
    `HTTP/1.1 ${status} ${title}\r\nconnection: close\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `x-request-id: ${requestId}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
  endAndDrop(socket)
}

function refusalFor(code: string | undefined): AppError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new AppError('request-timeout', 'The request took too long to arrive.')
  if (code === 'HPE_HEADER_OVERFLOW') return new AppError('headers-too-large', 'The request headers are too large.')
  return new AppError('malformed-request', 'The request is not valid HTTP/1.1.', { reason: 'http-syntax' })
}
