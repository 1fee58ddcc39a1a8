import { Readable } from 'node:stream'
import type { Exit, Tripwire } from './tripwire.ts'

/** In the place of an answer out of which a secret cannot be cut; JSON, as nearly every answer is. */
const WHOLE = '"[removed]"'
/** Shorter values hold no secret that is looked for. */
const MIN_HEADER_CHARACTERS = 16

/** As much of a reply of Fastify as this needs. */
export interface AnswerHead {
  getHeaders(): Readonly<Record<string, number | string | string[] | undefined>>
  hasHeader(name: string): boolean
  header(name: string, value: unknown): unknown
  removeHeader(name: string): unknown
}

/** What may leave of an answer: its headers and its body, without a secret. */
export function cutAnswer(response: AnswerHead, payload: unknown, tripwire: Tripwire, exit: Exit): unknown {
  cutHeaders(response, tripwire, exit)
  if (typeof payload === 'string') {
    const rest = tripwire.cut(payload, exit, WHOLE)
    return rest === payload ? payload : resized(response, rest)
  }
  if (Buffer.isBuffer(payload)) {
    const text = payload.toString('latin1')
    const rest = tripwire.cut(text, exit, WHOLE)
    return rest === text ? payload : resized(response, Buffer.from(rest, 'latin1'))
  }
  return payload instanceof Readable ? payload.compose(cutPieces(tripwire, exit)) : payload
}

function resized<Body extends string | Buffer>(response: AnswerHead, body: Body): Body {
  if (response.hasHeader('content-length')) response.header('content-length', Buffer.byteLength(body))
  return body
}

function cutHeaders(response: AnswerHead, tripwire: Tripwire, exit: Exit): void {
  const headers = response.getHeaders()
  for (const name in headers) {
    const value = headers[name]
    if (Array.isArray(value)) cutLines(response, name, value, text => tripwire.cut(text, exit))
    else if (typeof value === 'string' && value.length >= MIN_HEADER_CHARACTERS) {
      const rest = tripwire.cut(value, exit)
      if (rest !== value) response.header(name, rest)
    }
  }
}

/** Of a header with several lines, `set-cookie`. */
function cutLines(response: AnswerHead, name: string, lines: readonly string[], cut: (text: string) => string): void {
  const rest = lines.map(cut)
  if (rest.every((line, index) => line === lines[index])) return
  response.removeHeader(name)
  response.header(name, rest)
}

/** A secret may begin in one piece of a stream and end in the next. */
function cutPieces(tripwire: Tripwire, exit: Exit) {
  return async function* (pieces: AsyncIterable<Buffer | string>) {
    const text = tripwire.inPieces(exit)
    for await (const piece of pieces) {
      const kept = text.next(Buffer.from(piece).toString('latin1'))
      if (kept !== '') yield Buffer.from(kept, 'latin1')
    }
    if (text.rest() !== '') yield Buffer.from(text.rest(), 'latin1')
  }
}
