import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { AppError, PROBLEMS } from '../errors.ts'
import { PROBLEM_MEDIA_TYPE, toProblem } from './problem.ts'
import { requestIdOf } from './request-id.ts'

/** Answers what Node's parser refused, before there was a request; the connection ends with it. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || socket.destroyed || error.code === 'ECONNRESET' || isAnswering(socket)) {
    socket.destroy()
    return
  }
  const refusal = refusalFor(error.code)
  const requestId = requestIdOf(undefined)
  const body = JSON.stringify(toProblem(refusal, requestId, false))
  const { status, title } = PROBLEMS[refusal.code]
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nconnection: close\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `x-request-id: ${requestId}\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy()
  )
}

/**
 * Whether an earlier request of this connection was read to its end and waits for its answer: a refusal of what came
 * behind it would be taken for that answer, and call a reply unsent that is on its way.
 */
function isAnswering(socket: Socket & { _httpMessage?: ServerResponse | null }): boolean {
  // Node's own handler looks there, too; nothing public tells.
  return socket._httpMessage?.req.complete === true
}

function refusalFor(code: string | undefined): AppError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new AppError('request-timeout', 'The request took too long to arrive.')
  if (code === 'HPE_HEADER_OVERFLOW') return new AppError('headers-too-large', 'The request headers are too large.')
  return new AppError('malformed-request', 'The request is not valid HTTP/1.1.')
}
