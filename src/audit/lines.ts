// What stands in the lines of the audit file, each as the members of a JSON object without its braces.
import type { CallerFields, LogFields } from '../observability/log-fields.ts'
import type { ChainState } from './chain.ts'

/** Of a request, in this order; what is undefined is left out. Never a text, a header or an address. */
const OF_REQUEST = [
  'requestId',
  'method',
  'route',
  'status',
  'code',
  'delivery',
  'reason',
  'scheme',
  'issuer',
  'subject',
  'uid',
  'actors',
  'parentId',
  'messageId',
  'replayed',
  'attempts',
  'keyFingerprint'
] as const satisfies readonly (keyof LogFields)[]

/** Of a reply before it is sent. */
const OF_INTENT = [
  'requestId',
  'scheme',
  'issuer',
  'subject',
  'uid',
  'actors',
  'parentId'
] as const satisfies readonly (keyof CallerFields)[]

export type AuditFields = Pick<LogFields, (typeof OF_REQUEST)[number]>

export interface Opening {
  readonly instance: string
  readonly pid: number
  readonly version: string
  readonly mode: 'on' | 'strict'
  /** The last line that the file held before. */
  readonly after: { readonly chain: string; readonly seq: number } | undefined
}

export function opening(open: Opening): string {
  return members({ kind: 'open', ...open })
}

/** A request of a known caller, when it is answered. `subject` is the whole one; that of the fields may be cut. */
export function ofRequest(fields: AuditFields, subject: string | undefined): string {
  return `"kind":"request"${listed(OF_REQUEST, fields, subject)}`
}

/** A reply that is about to be sent. */
export function ofIntent(fields: CallerFields, subject: string | undefined): string {
  return `"kind":"intent"${listed(OF_INTENT, fields, subject)}`
}

/** The chain goes on in another file. */
export function moved(): string {
  return members({ kind: 'moved' })
}

export function continued(from: ChainState): string {
  return members({ kind: 'continue', from })
}

export function checkpoint(): string {
  return members({ kind: 'checkpoint' })
}

/** What went wrong with writing before this line. */
export interface Gap {
  readonly since: string
  readonly reason: string
  /** How many lines were given up. */
  readonly lost: number
  /** SHA-256 of beginnings of lines that got into the file before the disk was full. */
  readonly torn: readonly string[]
}

export function gap(found: Gap): string {
  return members({ kind: 'gap', ...found })
}

export function closing(): string {
  return members({ kind: 'close' })
}

function members(object: object): string {
  return JSON.stringify(object).slice(1, -1)
}

function listed(names: readonly (keyof AuditFields)[], fields: AuditFields, subject: string | undefined): string {
  let text = ''
  for (const name of names) {
    const value = name === 'subject' ? (subject ?? fields.subject) : fields[name]
    if (value === undefined) continue
    text += typeof value === 'number' ? `,"${name}":${value}` : `,"${name}":${JSON.stringify(value)}`
  }
  return text
}
