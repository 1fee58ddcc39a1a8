// What arrives behind a refusal is read and dropped for a while: a connection that ends with unread bytes in it is reset,
// and a client that is still sending then never sees the answer (RFC 9112 §9.6).
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'

export interface LateBounds {
  readonly maxBytes: number
  readonly maxMs: number
}

const BOUNDS: LateBounds = { maxBytes: 32 * 1024 * 1024, maxMs: 5000 }

/** Whether an answer that leaves now would leave before the body of its request is here. */
export function isBodyPending({ headers, complete, readableEnded, destroyed }: IncomingMessage): boolean {
  if (complete || readableEnded || destroyed) return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/**
 * An answer that leaves at once and whole, and is over when the body of its request has been read and dropped; a
 * connection that goes beyond the bounds ends. The answer needs a content-length.
 */
export function aheadOfBody(
  answer: string,
  request: IncomingMessage,
  response: ServerResponse,
  bounds: LateBounds = BOUNDS
): Readable {
  return Readable.from(answerThenDrop(answer, request, response, bounds))
}

async function* answerThenDrop(
  answer: string,
  request: IncomingMessage,
  response: ServerResponse,
  bounds: LateBounds
): AsyncGenerator<string> {
  yield answer
  if (await dropRest(request, bounds)) return
  response.once('finish', () => request.socket.destroySoon())
}

/** Ends a connection whose last answer is written, and reads what is still coming so that it arrives. */
export function endAndDrop(socket: Socket, bounds: LateBounds = BOUNDS): void {
  dropUnparsed(socket)
  socket.end()
  void dropRest(socket, bounds).then(() => socket.destroy())
}

/** From now on nothing that this connection brings is a request. */
export function dropUnparsed(socket: Socket): void {
  socket.removeAllListeners('data')
  // The first listener of ours is also what makes Node take the bytes back from its parser.
  socket.on('data', () => undefined)
  socket.resume()
}

/** Whether the source ended within the bounds; a client that leaves has ended it, too. */
export function dropRest(source: Readable, { maxBytes, maxMs }: LateBounds = BOUNDS): Promise<boolean> {
  if (source.readableEnded || source.destroyed) return Promise.resolve(true)
  return new Promise(resolve => {
    let bytes = 0
    const timer = setTimeout(() => finish(false), maxMs)
    const onEnd = (): void => finish(true)
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes > maxBytes) finish(false)
    }
    function finish(hasEnded: boolean): void {
      clearTimeout(timer)
      source.off('data', onData).off('end', onEnd).off('close', onEnd)
      resolve(hasEnded)
    }
    source.on('data', onData).once('end', onEnd).once('close', onEnd)
    source.resume()
  })
}
