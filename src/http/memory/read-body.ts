import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../../errors.ts'

export interface BodyBounds {
  readonly maxBytes: number
  /** From content-length; undefined for a body that comes in chunks. */
  readonly declaredBytes: number | undefined
  /** Whether so many bytes more may be held; asked before they are. A declared length is booked before. */
  readonly mayHold: (bytes: number) => boolean
}

/** Where a request keeps what it has booked. */
export const HOLDING: unique symbol = Symbol('thread-reply.holding')

export const MAX_BODY_BYTES = 256 * 1024
const FIRST_BYTES = 4096
const NOTHING = Buffer.alloc(0)
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Called once; with an error the bytes are those that came before it. */
export type OnBody = (error: AppError | null, bytes: Buffer) => void

/**
 * Reads a body into one piece of memory, which grows with what arrives: a list of chunks of one byte each would hold a
 * hundred times as much. Fails with `payload-too-large`, `overloaded`, or `malformed-request` where it ends too early.
 */
export function readBody(source: Readable, { maxBytes, declaredBytes, mayHold }: BodyBounds, onBody: OnBody): void {
  let room: Buffer = NOTHING
  let used = 0

  function onData(sent: Buffer | string): void {
    // A hook of a host's may have put a stream of text in the place of the request.
    const chunk = typeof sent === 'string' ? Buffer.from(sent) : sent
    const needed = used + chunk.length
    if (needed > maxBytes) end(bodyTooLarge())
    // Most bodies come in one piece.
    else if (needed === declaredBytes && used === 0) {
      room = chunk
      used = needed
    } else if (needed > room.length && !grow(needed)) end(tooMuchHeld())
    else used += chunk.copy(room, used)
  }
  function grow(needed: number): boolean {
    const size = Math.min(maxBytes, declaredBytes ?? Math.max(needed, 2 * room.length, FIRST_BYTES))
    if (declaredBytes === undefined && !mayHold(size - room.length)) return false
    const larger = Buffer.allocUnsafeSlow(Math.max(size, needed))
    room.copy(larger, 0, 0, used)
    room = larger
    return true
  }
  const onEnd = (): void => end(null)
  const onBroken = (): void =>
    end(new AppError('malformed-request', 'The body ends too early.', { reason: 'body-cut-off' }))
  function end(error: AppError | null): void {
    source.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken)
    // Node speaks of a client that leaves later, too.
    source.on('error', ignore)
    onBody(error, room.subarray(0, used))
  }
  source.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken)
  // Its client left while the caller was looked up: no event comes any more, and what is booked would stay booked.
  if (source.destroyed) onBroken()
  else source.resume()
}

function ignore(): void {}

type Done = (error: Error | null, body?: unknown) => void

/**
 * Reads the bodies of an app or a scope as JSON, and no others: each at most as long as its route lets it be, and held as
 * far as its request may.
 */
export function parseJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', (request: FastifyRequest, payload: IncomingMessage, done: Done) => {
    const declared = request.headers['content-length']
    const bounds = {
      maxBytes: request.routeOptions.bodyLimit,
      declaredBytes: declared === undefined ? undefined : Number(declared),
      mayHold: (bytes: number) => request[HOLDING]?.grow(bytes) ?? true
    }
    readBody(payload, bounds, (error, bytes) => {
      if (error) done(error)
      // Many clients name the type of a body that they do not send.
      else if (bytes.length === 0 && request.routeOptions.config.needsNoBody) done(null, null)
      else parseAnd(done, bytes)
    })
  })
}

function parseAnd(done: Done, bytes: Buffer): void {
  let body: unknown
  try {
    body = parseJsonBody(bytes)
  } catch (error) {
    done(error as Error)
    return
  }
  // All the rest of the request is in this call.
  done(null, body)
}

/** Parses a body; throws `malformed-request` for what is not JSON in UTF-8; one byte order mark is skipped. */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) throw new AppError('malformed-request', 'The body is empty.', { reason: 'body-empty' })
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw new AppError('malformed-request', 'The body is not valid JSON in UTF-8.', { reason: 'body-json' })
  }
}

/** The refusal of what would be held beyond the bound. */
export function tooMuchHeld(): AppError {
  return new AppError('overloaded', 'Too much is under way at the moment.', { retryAfterMs: 1000, reason: 'memory' })
}

export function bodyTooLarge(): AppError {
  return new AppError('payload-too-large', 'The body is too large.')
}
