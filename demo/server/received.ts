// Everything that the browser was sent, and what is found in it.
import type { ServerResponse } from 'node:http'

/** Enough for an afternoon; what is older is forgotten, and said to be. */
const MOST_BYTES = 32 * 1024 * 1024

export interface Findings {
  readonly hits: number
  readonly answers: number
  readonly bytes: number
  /** Whether older answers had to be forgotten. */
  readonly isWhole: boolean
}

export type Received = ReturnType<typeof createReceived>

/** One answer, its head and its body. */
interface Answer {
  text: string
}

export function createReceived() {
  const answers: Answer[] = []
  let bytes = 0
  let isWhole = true

  const keep = (answer: Answer, text: string): void => {
    answer.text += text
    bytes += text.length
    while (bytes > MOST_BYTES && answers.length > 1) {
      bytes -= answers.shift()?.text.length ?? 0
      isWhole = false
    }
  }

  return {
    /** Keeps what is written to this answer from now on, its headers too. */
    record(response: ServerResponse): void {
      const { write, end, writeHead } = response
      let answer: Answer | undefined
      const begin = (status: number, headers: object): Answer => {
        if (answer) return answer
        answer = { text: '' }
        answers.push(answer)
        keep(answer, `${status} ${JSON.stringify(headers)}\n`)
        return answer
      }
      const add = (chunk: unknown, encoding: unknown): void =>
        keep(begin(response.statusCode, response.getHeaders()), toLatin1(chunk, encoding))
      response.writeHead = ((status: number, ...rest: never[]) => {
        begin(status, { ...response.getHeaders(), ...Object(rest.at(-1)) })
        return Reflect.apply(writeHead, response, [status, ...rest])
      }) as typeof response.writeHead
      response.write = ((chunk: unknown, ...rest: never[]) => {
        add(chunk, rest[0])
        return Reflect.apply(write, response, [chunk, ...rest])
      }) as typeof response.write
      response.end = ((chunk: unknown, ...rest: never[]) => {
        add(chunk, rest[0])
        return Reflect.apply(end, response, [chunk, ...rest])
      }) as typeof response.end
    },

    /** Looks for a text as it is, in hex, in base64 at any place, and percent-encoded. */
    find(text: string): Findings {
      const spellings = [...spellingsOf(text)]
      const hits = answers.reduce((sum, { text: whole }) => sum + countAll(whole, spellings), 0)
      return { hits, answers: answers.length, bytes, isWhole }
    }
  }
}

function toLatin1(chunk: unknown, encoding: unknown): string {
  if (typeof chunk === 'string') {
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8').toString('latin1')
  }
  return chunk instanceof Uint8Array ? Buffer.from(chunk).toString('latin1') : ''
}

function spellingsOf(text: string): ReadonlySet<string> {
  const bytes = Buffer.from(text)
  const inBase64 = [0, 1, 2].map(shift => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '')
    // The characters at both ends also depend on what stands beside the text.
    return whole.slice(shift === 0 ? 0 : shift + 1, whole.length - ((bytes.length + shift) % 3 === 0 ? 0 : 1))
  })
  const spellings = [bytes.toString('latin1'), bytes.toString('hex'), encodeURIComponent(text)]
  // Of a short text they would be found in anything.
  const long = bytes.length >= 8 ? inBase64.flatMap(one => [one, one.replaceAll('+', '-').replaceAll('/', '_')]) : []
  return new Set([...spellings, ...long])
}

function countAll(text: string, parts: readonly string[]): number {
  return parts.reduce((sum, part) => sum + text.split(part).length - 1, 0)
}
