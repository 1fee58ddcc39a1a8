import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib'
import { Agent, type buildConnector, errors } from 'undici'
import { asciiLowerCase } from '../lib/ascii.ts'

const MAX_BYTES = 1024 * 1024

export interface JsonRequest {
  /** Sent by POST as it would be by a form (RFC 6749 §B); without it the request is a GET. */
  readonly form?: URLSearchParams
  readonly authorization?: string
}

export interface JsonFetcher {
  (url: string, options?: JsonRequest): Promise<unknown>
  close(): Promise<void>
}

export interface JsonFetcherOptions {
  readonly timeoutMs?: number
  readonly maxBytes?: number
  readonly connections?: number
  /** How connections are made where there is a proxy. */
  readonly connect?: buildConnector.connector | undefined
}

/** An answer, but not a 200. */
export class UnexpectedStatus extends Error {
  override readonly name = 'UnexpectedStatus'
  readonly status: number

  constructor(status: number) {
    super(`answered ${status}`)
    this.status = status
  }
}

/** A 200 that holds no JSON, or too much of whatever it holds. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer'
  readonly fault: 'not-json' | 'too-large'

  constructor(fault: UnreadableAnswer['fault']) {
    super(fault)
    this.fault = fault
  }
}

type Decompress = (bytes: Buffer, options: ZlibOptions) => Promise<Buffer>

/** Not asked for; some servers compress what they keep ready, whatever a client says. */
const DECOMPRESS: Readonly<Record<string, Decompress>> = {
  gzip: promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  deflate: promisify<Buffer, ZlibOptions, Buffer>(inflate),
  br: promisify<Buffer, ZlibOptions, Buffer>(brotliDecompress)
}

/**
 * Asks for small JSON documents: bounded in time and size, without redirects.
 * Rejects for anything but a 200 with JSON.
 */
export function createJsonFetcher({
  timeoutMs = 5000,
  maxBytes = MAX_BYTES,
  connections = 2,
  connect
}: JsonFetcherOptions = {}): JsonFetcher {
  const dispatcher = new Agent({
    allowH2: false,
    connections,
    connectTimeout: 2000,
    maxResponseSize: maxBytes,
    ...(connect && { connect })
  })
  const fetchJson = async (url: string, { form, authorization }: JsonRequest = {}): Promise<unknown> => {
    const { origin, pathname, search } = new URL(url)
    const answer = await dispatcher.request({
      origin,
      path: pathname + search,
      method: form ? 'POST' : 'GET',
      body: form ? form.toString() : null,
      headers: {
        accept: 'application/json, */*;q=0.5',
        'accept-encoding': 'identity',
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(authorization !== undefined && { authorization })
      },
      signal: AbortSignal.timeout(timeoutMs)
    })
    if (answer.statusCode !== 200) {
      await answer.body.dump()
      throw new UnexpectedStatus(answer.statusCode)
    }
    const bytes = Buffer.from(await answer.body.arrayBuffer().catch(rethrowTooLarge))
    return parsed(await plain(bytes, answer.headers['content-encoding'], maxBytes))
  }
  return Object.assign(fetchJson, { close: () => dispatcher.destroy() })
}

/** Bounded again: a few bytes can hold gigabytes. */
async function plain(bytes: Buffer, encoding: string | string[] | undefined, maxBytes: number): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return bytes
  const decompress = typeof encoding === 'string' ? DECOMPRESS[asciiLowerCase(encoding)] : undefined
  if (!decompress) throw new UnreadableAnswer('not-json')
  return decompress(bytes, { maxOutputLength: maxBytes }).catch(error => {
    throw new UnreadableAnswer(error instanceof RangeError ? 'too-large' : 'not-json')
  })
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    throw new UnreadableAnswer('not-json')
  }
}

function rethrowTooLarge(error: unknown): never {
  throw error instanceof errors.ResponseExceededMaxSizeError ? new UnreadableAnswer('too-large') : error
}
