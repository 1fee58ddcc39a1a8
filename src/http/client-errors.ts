import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { AppError, PROBLEMS } from '../errors.ts'
import { PROBLEM_MEDIA_TYPE, toProblem } from './problem.ts'
import { requestIdOf } from './request-id.ts'

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export interface ClientErrors {
  /** Remembers which request each connection of a server brought last. */
  watch(server: Server): void
  /** Answers what Node's parser refused, and ends the connection. */
  answer(error: Error & { code?: string }, socket: Socket): void
}

/**
 * A refusal from the parser is about bytes, not about a request. Written while another answer is due it would be taken
 * for that answer, and call a reply unsent that is on its way; written behind the answer to the same request it would
 * be taken for the answer to the next one.
 */
export function createClientErrors(): ClientErrors {
  const latest = new WeakMap<Socket, Exchange>()

  return {
    watch: server => {
      server.on('request', (request, response) => latest.set(request.socket, { request, response }))
    },

    answer(error, socket) {
      if (!socket.writable || socket.destroyed || error.code === 'ECONNRESET') {
        socket.destroy()
        return
      }
      const last = latest.get(socket)
      if (!last || isOver(last)) refuse(error, socket)
      else if (last.request.complete) endAfter(last.response, socket)
      else if (isUnanswered(last)) refuse(error, socket)
      else socket.destroySoon()
    }
  }
}

/** Whole, and answered: what came behind it is a request of its own. */
function isOver({ request, response }: Exchange): boolean {
  return request.complete && response.writableFinished
}

/** Whether its turn to be answered has come, and nothing was written yet. */
function isUnanswered({ response }: Exchange): boolean {
  return response.socket !== null && !response.headersSent
}

/** Lets a whole request have its answer and reads nothing behind it. */
function endAfter(response: ServerResponse, socket: Socket): void {
  response.shouldKeepAlive = false
  response.once('close', () => socket.destroySoon())
  socket.pause()
}

function refuse(error: Error & { code?: string }, socket: Socket): void {
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

function refusalFor(code: string | undefined): AppError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new AppError('request-timeout', 'The request took too long to arrive.')
  if (code === 'HPE_HEADER_OVERFLOW') return new AppError('headers-too-large', 'The request headers are too large.')
  return new AppError('malformed-request', 'The request is not valid HTTP/1.1.')
}
