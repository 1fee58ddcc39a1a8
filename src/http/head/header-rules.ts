import { AppError } from '../../errors.ts'
import { asciiLowerCase } from '../../lib/ascii.ts'
import type { Reason } from '../../lib/refusals/reasons.ts'
import { rememberNames } from '../remember-names.ts'

/** Spelled without `-` and `_`: proxies disagree about whether `on_behalf_of` is `onBehalfOf`. */
const RESERVED: ReadonlySet<string> = new Set(['apikey', 'onbehalfof', 'appid', 'authtoken'])

/** Headers that decide something; a second one means that two readers could see two different requests. */
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
  'x-csrf',
  'x-acting-for',
  'x-signed-in-as'
])

const MAX_SHOWN_LENGTH = 64

/** Node meets no other expectation, and of `gzip, chunked` it would unwrap the chunks only. */
const ONLY_VALUES: ReadonlyMap<string, string> = new Map([
  ['expect', '100-continue'],
  ['transfer-encoding', 'chunked']
])

export interface RequestHead {
  readonly httpVersion: string
  /** Name, value, name, value…: as they came, before anything was joined or dropped. */
  readonly rawHeaders: readonly string[]
}

/** What holds for a header of a name: refused, or allowed once under this spelling; null where anything goes. */
type HeaderRule = { readonly reserved: string } | { readonly single: string } | null

/**
 * Makes the check of a head that another reader could read differently: it throws `malformed-request` or
 * `reserved-name`. It remembers the rules of the names that clients send. Headers of `unread` are as if they were not there.
 */
export function createHeadCheck(unread: readonly string[] = []): (head: RequestHead) => void {
  const ruleOf = rememberNames(name => (unread.includes(asciiLowerCase(name)) ? null : findRule(name)))

  return ({ httpVersion, rawHeaders }) => {
    if (httpVersion !== '1.1') {
      throw malformed('http-version', 'Speak HTTP/1.1 (nginx: proxy_http_version 1.1).')
    }
    const seen: string[] = []
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const rule = ruleOf(rawHeaders[index] ?? '')
      if (rule !== null) applyRule(rule, rawHeaders[index + 1] ?? '', seen)
    }
    if (!seen.includes('host')) throw malformed('host-missing', 'The host header is missing.')
  }
}

function findRule(spelled: string): HeaderRule {
  const name = asciiLowerCase(spelled)
  const bare = name.replaceAll(/[-_]/g, '')
  if (RESERVED.has(bare)) return { reserved: name.length <= MAX_SHOWN_LENGTH ? name : bare }
  return SINGLE.has(name) ? { single: name } : null
}

function applyRule(rule: NonNullable<HeaderRule>, value: string, seen: string[]): void {
  if ('reserved' in rule) {
    throw new AppError(
      'reserved-name',
      `The ${rule.reserved} header names an identity or a secret that only this service may set; where a gateway in front ` +
        'adds it, IGNORED_HEADERS takes it out.',
      { reason: 'reserved-header' }
    )
  }
  const { single: name } = rule
  if (seen.includes(name)) throw malformed('header-twice', `The ${name} header comes twice.`)
  seen.push(name)
  const only = ONLY_VALUES.get(name)
  if (only === undefined || asciiLowerCase(value) === only) return
  throw malformed('header-value', `The ${name} header can only be ${only} here.`)
}

function malformed(reason: Reason, detail: string): AppError {
  return new AppError('malformed-request', detail, { reason })
}
