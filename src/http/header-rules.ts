import { AppError } from '../errors.ts'

/** Spelled without `-` and `_`: proxies disagree about whether `on_behalf_of` is `onBehalfOf`. */
const RESERVED: ReadonlySet<string> = new Set(['apikey', 'onbehalfof', 'appid', 'authtoken'])

/** Headers with one value; a second one means that two readers could see two different requests. */
const SINGLE: ReadonlySet<string> = new Set([
  'host',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'expect',
  'origin',
  'sec-fetch-site',
  'idempotency-key',
  'traceparent',
  'x-request-id',
  'x-csrf',
  'x-acting-for'
])

/** Node meets no other expectation, and of `gzip, chunked` it would unwrap the chunks only. */
const ONLY_VALUES: ReadonlyMap<string, string> = new Map([
  ['expect', '100-continue'],
  ['transfer-encoding', 'chunked']
])

/** `application/json`, alone or with the only charset JSON has (RFC 8259 §8.1). */
const JSON_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i

export interface RequestHead {
  readonly httpVersion: string
  /** Name, value, name, value…: as they came, before anything was joined or dropped. */
  readonly rawHeaders: readonly string[]
}

/** Throws `malformed-request` or `reserved-name` for a head that another reader could read differently. */
export function checkHead({ httpVersion, rawHeaders }: RequestHead): void {
  if (httpVersion !== '1.1') throw new AppError('malformed-request', 'Speak HTTP/1.1 (nginx: proxy_http_version 1.1).')
  const seen = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    if (RESERVED.has(name.replaceAll(/[-_]/g, ''))) {
      throw new AppError('reserved-name', 'A header names an identity or a secret that only this service may set.')
    }
    if (!SINGLE.has(name)) continue
    if (seen.has(name)) throw new AppError('malformed-request', `The ${name} header comes twice.`)
    seen.add(name)
    checkOnlyValue(name, rawHeaders[index + 1])
  }
  if (!seen.has('host')) throw new AppError('malformed-request', 'The host header is missing.')
}

function checkOnlyValue(name: string, value: string | undefined): void {
  const only = ONLY_VALUES.get(name)
  if (only === undefined || value?.toLowerCase() === only) return
  throw new AppError('malformed-request', `The ${name} header can only be ${only} here.`)
}

/** Throws `unsupported-media-type` unless the body is announced as plain JSON in UTF-8. */
export function checkContent(headers: Readonly<Record<string, string | string[] | undefined>>): void {
  if (headers['content-encoding'] !== undefined) {
    throw new AppError('unsupported-media-type', 'Send the body without a content-encoding.')
  }
  const type = headers['content-type']
  if (typeof type !== 'string' || !JSON_TYPE.test(type)) {
    throw new AppError('unsupported-media-type', 'Send content-type: application/json, in UTF-8.')
  }
}
